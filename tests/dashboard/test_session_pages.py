from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import EndedSession, Revocation, Session
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import Failure, FakeUserPool

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


@pytest.fixture
def phone(user: Browser) -> Browser:
    """A second browser in which the user is signed in."""
    phone = Browser(user.pool, user.person, headers={"user-agent": FIREFOX})
    phone.sign_in()
    return phone


@pytest.fixture
def act(user: Browser, django_capture_on_commit_callbacks: Any) -> Callable[[str], Any]:
    """Submit one of the page's forms as the user, tell Cognito as after a commit, and return the page after it."""

    def act(path: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            response = user.post(path)
        return user.get(response["Location"])

    return act


def other_row(user: Browser) -> Session:
    row: Session = Session.objects.get(browser="Firefox 132", user__subject=user.person.sub)
    return row


def test_a_single_session_is_this_one_and_has_no_others(user: Browser) -> None:
    page = words(user.get("/sessions/"))

    assert "This one" in page
    assert "You have no other sessions" in page
    assert "Sign out all others" not in page
    assert "Sign out this session" not in page


def test_every_session_is_shown_with_its_browser_and_this_one_first(user: Browser, phone: Browser) -> None:
    page = words(user.get("/sessions/"))

    assert "Firefox 132 on Linux" in page
    assert page.index("This one") < page.index("Firefox 132 on Linux")
    assert page.count("This one") == 1
    assert page.count("Sign out this session") == 1


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"refresh_due_at": -1}, "Refresh due"),
        ({"access_expires_at": -1}, "Asleep Expired 1 minute ago"),
        ({"refresh_failures": 1}, "Refresh failing"),
        ({"refresh_claimed_until": 1}, "Refreshing"),
    ],
)
def test_a_session_shows_the_health_of_its_tokens(
    user: Browser, phone: Browser, columns: dict[str, int], word: str
) -> None:
    now = timezone.now()
    values: dict[str, Any] = {
        name: now + timedelta(minutes=value) if name.endswith(("_at", "_until")) else value
        for name, value in columns.items()
    }
    Session.objects.filter(pk=other_row(user).pk).update(**values)

    assert word in words(user.get("/sessions/"))


def test_the_page_costs_three_queries_however_many_sessions_there_are(
    user: Browser, phone: Browser, django_assert_max_num_queries: Any
) -> None:
    user.post(f"/sessions/{other_row(user).public_id}/revoke/")
    for _ in range(3):
        Browser(user.pool, user.person).sign_in()

    with django_assert_max_num_queries(3):
        user.get("/sessions/")


def test_a_person_ends_another_session_and_sees_why_it_ended(
    user: Browser, phone: Browser, act: Callable[[str], Any]
) -> None:
    response = act(f"/sessions/{other_row(user).public_id}/revoke/")

    page = words(response)
    assert "Signed out: Firefox 132 on Linux." in page
    assert "Signed out from another browser Told" in page
    assert phone.get("/profile/").status_code == 401


def test_what_cognito_does_not_know_yet_is_shown_without_a_raw_error(
    phone: Browser, pool: FakeUserPool, act: Callable[[str], Any]
) -> None:
    pool.fail("RevokeToken", Failure.INTERNAL_ERROR)

    page = words(act("/sessions/revoke-others/"))

    assert "Not told yet Cognito could not be reached. Next try in" in page
    assert "Error" not in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (Revocation.State.EXPIRED, "No need The refresh token has expired."),
        (Revocation.State.GIVEN_UP, "Given up"),
    ],
)
def test_a_revocation_that_never_came_to_be_is_not_called_done(
    user: Browser, phone: Browser, state: str, said: str
) -> None:
    user.post("/sessions/revoke-others/")
    Revocation.objects.update(state=state)

    assert said in words(user.get("/sessions/"))


def test_an_outsider_neither_sees_nor_ends_the_sessions_of_the_user(user: Browser, outsider: Browser) -> None:
    public_id = user.row.public_id

    page = outsider.get("/sessions/").content.decode()
    response = outsider.post(f"/sessions/{public_id}/revoke/")

    assert str(public_id) not in page
    assert response.status_code == 404
    assert Session.objects.filter(public_id=public_id).exists()
    assert not EndedSession.objects.exists()


def test_an_outsider_who_ends_all_their_others_leaves_the_user_alone(user: Browser, outsider: Browser) -> None:
    outsider.post("/sessions/revoke-others/")

    assert user.get("/sessions/").status_code == 200
