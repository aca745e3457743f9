from __future__ import annotations

from urllib.parse import urlencode

from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import Failure, FakeUserPool


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
