from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import EndedSession, EndReason, Revocation, Session
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import Failure, FakeUserPool

SignOut = Callable[..., Any]


@pytest.fixture
def sign_out(user: Browser, django_capture_on_commit_callbacks: Any) -> SignOut:
    """Sign the user out, tell Cognito as after a commit, and open the page one comes back to."""

    def sign_out(path: str = "/logout/") -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            user.post(path)
        return user.get("/signed-out/")

    return sign_out


def test_the_choice_names_what_each_way_stops(user: Browser) -> None:
    page = words(user.get("/logout/"))

    assert "What does this stop?" in page
    assert "A service that only checks its signature accepts it until" in page
    assert (
        "For up to an hour after each signed in. Until then that browser can sign in again without a password" in page
    )


def test_the_choice_counts_the_other_sessions(user: Browser) -> None:
    Browser(user.pool, user.person).sign_in()

    page = words(user.get("/logout/"))

    assert "Your other sessions here 1 other browser Lives on" in page


def test_who_has_no_other_sessions_is_told_so(user: Browser) -> None:
    assert "None You have no others" in words(user.get("/logout/"))


def test_the_choice_costs_at_most_three_queries(user: Browser, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):
        user.get("/logout/")


def test_signing_out_here_says_what_stopped_and_what_lives_on(sign_out: SignOut) -> None:
    page = words(sign_out())

    assert "You are signed out" in page
    assert "Cognito has been told and has revoked it." in page
    assert "Lives on Your other browsers, apps and devices" in page


def test_what_cognito_could_not_be_told_is_pending_and_not_called_stopped(
    sign_out: SignOut, pool: FakeUserPool
) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)

    page = words(sign_out())

    assert "Pending Its refresh token Cognito could not be told yet; we keep trying until it is." in page
    assert "Cognito has been told" not in page


def test_signing_out_everywhere_counts_what_ended_together(user: Browser, sign_out: SignOut) -> None:
    Browser(user.pool, user.person).sign_in()

    page = words(sign_out("/logout/everywhere/"))

    assert "You are signed out everywhere" in page
    assert "2 sessions of yours on this site" in page
    assert "Stopped Your tokens in every app of this user pool" in page


def test_everywhere_still_pending_says_that_other_apps_stay_signed_in(sign_out: SignOut, pool: FakeUserPool) -> None:
    pool.fail("*", Failure.UNAVAILABLE)

    page = words(sign_out("/logout/everywhere/"))

    assert "Until then your other apps stay signed in." in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (Revocation.State.EXPIRED, "It has expired by itself"),
        (Revocation.State.GIVEN_UP, "We have stopped trying to tell Cognito, and have erased our copy."),
    ],
)
def test_a_revocation_that_never_came_to_be_is_told_as_it_is(user: Browser, state: str, said: str) -> None:
    user.post("/logout/")
    Revocation.objects.update(state=state)

    assert said in words(user.get("/signed-out/"))


def test_a_direct_visit_claims_nothing(visitor: Browser) -> None:
    page = words(visitor.get("/signed-out/"))

    assert "You are signed out" in page
    assert "Stopped" not in page


def test_who_is_still_signed_in_is_not_told_otherwise(user: Browser) -> None:
    page = words(user.get("/signed-out/"))

    assert "You are signed in" in page
    assert "You are signed out" not in page


def test_an_outsider_sees_nothing_of_the_users_sign_out(user: Browser, outsider: Browser) -> None:
    user.post("/logout/")

    page = words(outsider.get("/signed-out/"))

    assert "Stopped" not in page


@pytest.mark.parametrize("reason", sorted({*EndReason.values} - {EndReason.SIGNED_OUT}))
def test_every_reason_for_an_end_has_words_of_its_own(user: Browser, reason: str) -> None:
    _end_with(user, reason)

    page = words(user.get("/sessions/"))

    assert "Your session has ended" in page
    assert "It was ended on this site" not in page


def _end_with(user: Browser, reason: str) -> None:
    """End the user's session for a reason, in a way their browser does not notice yet."""
    row = user.row
    kept = ("public_id", "key_digest", "user_id", "started_at", "last_seen_at")
    EndedSession.objects.create(**{name: getattr(row, name) for name in kept}, reason=reason)
    Session.objects.filter(pk=row.pk).delete()


def test_the_page_of_an_ended_session_leads_back_to_where_one_was(user: Browser) -> None:
    _end_with(user, EndReason.IDLE)

    response = user.get("/sessions/?from=mail")

    assert response.status_code == 401
    assert 'href="/login/?next=%2Fsessions%2F%3Ffrom%3Dmail"' in response.content.decode()
    assert "It was not used for too long." in words(response)


@pytest.mark.parametrize(
    ("path", "said"), [("/logout/", "You are signed out"), ("/logout/everywhere/", "You are signed out everywhere")]
)
def test_title_and_heading_say_the_same(sign_out: SignOut, path: str, said: str) -> None:
    page = sign_out(path).content.decode()

    assert f"<title>{said} \N{EN DASH} Gatehouse</title>" in page
    assert f"<h1>{said}</h1>" in page
