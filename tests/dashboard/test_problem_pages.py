from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import Failure, FakeUserPool

NOBODYS = "0b8f5c1e-4a53-4c5e-9d0e-3f1f5a5f9c11"


def test_a_cancelled_sign_in_offers_another_one(visitor: Browser, pool: FakeUserPool) -> None:
    response = visitor.get(pool.cancel(visitor.start_sign_in("/profile/")))

    assert "Sign-in was cancelled" in words(response)
    assert 'href="/login/?next=%2Fprofile%2F">Sign in</a>' in response.content.decode()


def test_an_outage_invites_to_try_again_and_says_when(visitor: Browser, pool: FakeUserPool) -> None:
    pool.fail("token", Failure.UNAVAILABLE)

    response = visitor.sign_in("/profile/")

    assert response.status_code == 503
    assert f"Wait at least {response['Retry-After']} seconds." in words(response)
    assert ">Try again</a>" in response.content.decode()
    assert response["X-Request-ID"] in words(response)


def test_what_only_an_operator_can_mend_does_not_invite_to_try_again(visitor: Browser, pool: FakeUserPool) -> None:
    pool.fail("token", "invalid_client")

    response = visitor.sign_in()

    assert response.status_code == 500
    assert ">Try again</a>" not in response.content.decode()
    assert "invalid_client" not in response.content.decode()


def test_text_of_the_query_string_is_never_shown(visitor: Browser) -> None:
    query = urlencode({"error": "server_error", "error_description": "Call 555-0100 now", "state": "x" * 43})

    response = visitor.get(f"/callback/?{query}", follow=True)

    assert "555-0100" not in response.content.decode()


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/logout/everywhere/", "/logout/"),
        ("/sessions/revoke-others/", "/sessions/"),
        (f"/sessions/{NOBODYS}/revoke/", f"/sessions/{NOBODYS}/"),
    ],
)
def test_where_a_form_is_sent_one_is_led_to_the_page_it_is_on(user: Browser, path: str, page: str) -> None:
    response = user.get(path)

    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "This address cannot be opened like that" in words(response)
    assert f'href="{page}">Go to that page</a>' in response.content.decode()


def test_what_is_for_looking_only_is_looked_at_by_the_same_address(user: Browser) -> None:
    response = user.post("/profile/")

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert 'href="/profile/">Go to that page</a>' in response.content.decode()


def test_a_method_that_is_not_taken_is_told_in_json_to_who_wants_json(user: Browser) -> None:
    response = user.get("/logout/everywhere/", headers={"accept": "application/json"})

    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response.json()["error"] == "method_not_allowed"


def test_an_outsider_learns_nothing_by_the_wrong_method(admin: Browser, outsider: Browser) -> None:
    assert outsider.get(f"/console/sessions/{admin.row.public_id}/revoke/").status_code == 403
