"""Rotation of refresh tokens: on, off, switched while sessions live; with and without grace; with lost answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import EndedSession, EndReason, Event, Revocation, Session
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool
from tests.outages.support import WHEN_REFRESH_IS_DUE, is_dead_at_the_pool, later

pytestmark = pytest.mark.django_db(transaction=True)
REFRESH = "GetTokensFromRefreshToken"


@pytest.fixture
def rotating(pool: FakeUserPool) -> FakeUserPool:
    """A user pool as deploy/user-pool.yaml makes it: rotation with thirty seconds of grace; short access tokens."""
    pool.access_token_seconds = 600
    pool.rotation, pool.grace_seconds = True, 30.0
    return pool


@pytest.fixture
def signed_in(rotating: FakeUserPool, visitor: Browser) -> Browser:
    visitor.sign_in()
    return visitor


def refreshes(browser: Browser, times: int) -> list[int]:
    """Open a page each time a refresh is due, and return the statuses."""
    statuses = []
    for number in range(1, times + 1):
        with later(number * WHEN_REFRESH_IS_DUE):
            statuses.append(browser.get("/profile/").status_code)
    return statuses


@pytest.mark.parametrize("grace", [0.0, 30.0])
def test_a_session_outlives_many_refreshes_with_rotation(
    rotating: FakeUserPool, signed_in: Browser, grace: float
) -> None:
    rotating.grace_seconds = grace

    assert refreshes(signed_in, 5) == [200] * 5

    assert rotating.calls.count(REFRESH) == 5
    assert len({call.parameters["RefreshToken"] for call in rotating.calls.of(REFRESH)}) == 5


def test_a_session_outlives_many_refreshes_without_rotation(rotating: FakeUserPool, signed_in: Browser) -> None:
    rotating.rotation = False

    assert refreshes(signed_in, 5) == [200] * 5

    assert len({call.parameters["RefreshToken"] for call in rotating.calls.of(REFRESH)}) == 1


def test_rotation_is_switched_while_a_session_lives(rotating: FakeUserPool, signed_in: Browser) -> None:
    for number, rotation in enumerate([False, True, True, False, True], start=1):
        rotating.rotation = rotation
        with later(number * WHEN_REFRESH_IS_DUE):
            assert signed_in.get("/profile/").status_code == 200

    assert rotating.calls.count(REFRESH) == 5


def test_a_refresh_whose_answer_is_lost_is_recovered_within_the_grace(
    rotating: FakeUserPool, signed_in: Browser
) -> None:
    session = signed_in.row.public_id
    rotating.fail(REFRESH, Failure.LOST_ANSWER, times=1)
    with later(WHEN_REFRESH_IS_DUE):
        signed_in.get("/")

    with later(WHEN_REFRESH_IS_DUE + 20):
        response = signed_in.get("/profile/")

    assert response.status_code == 200
    assert (signed_in.row.public_id, signed_in.row.refresh_failures) == (session, 0)


def test_three_lost_answers_in_a_row_fit_into_the_grace(rotating: FakeUserPool, signed_in: Browser) -> None:
    rotating.fail(REFRESH, Failure.LOST_ANSWER, times=3)

    # A person who reloads: each back-off is two, four, eight seconds, give or take a quarter.
    for wait in (0.0, 2.6, 7.7, 17.8):
        with later(WHEN_REFRESH_IS_DUE + wait):
            response = signed_in.get("/profile/")

    assert response.status_code == 200
    assert rotating.calls.count(REFRESH) == 4
    assert signed_in.row.refresh_failures == 0


def lose_an_answer_and_come_back_late(rotating: FakeUserPool, browser: Browser) -> Callable[[], object]:
    rotating.fail(REFRESH, Failure.LOST_ANSWER, times=1)
    with later(WHEN_REFRESH_IS_DUE):
        browser.get("/")

    def come_back() -> object:
        with later(WHEN_REFRESH_IS_DUE + 60):
            return browser.get("/sessions/")

    return come_back


def test_after_the_grace_a_lost_answer_ends_the_session_with_an_explanation_and_the_way_back(
    rotating: FakeUserPool, signed_in: Browser
) -> None:
    come_back = lose_an_answer_and_come_back_late(rotating, signed_in)

    response = come_back()

    assert response.status_code == 401  # type: ignore[attr-defined]
    assert "/login/?next=%2Fsessions%2F" in response.content.decode()  # type: ignore[attr-defined]
    assert EndedSession.objects.get().reason == EndReason.REFRESH_REFUSED
    assert signed_in.sign_in().status_code == 302


def test_a_reused_refresh_token_is_recorded_as_a_security_event_and_logged_as_an_error(
    rotating: FakeUserPool, signed_in: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    session = signed_in.row.public_id

    lose_an_answer_and_come_back_late(rotating, signed_in)()

    event = Event.objects.get(kind=Event.Kind.REFRESH_REUSED)
    assert (event.session_id, event.detail) == (session, "RefreshTokenReuseException")
    assert [r.levelname for r in caplog.records if "RefreshTokenReuseException" in r.getMessage()] == ["ERROR"]


def test_what_is_left_of_a_reused_refresh_token_is_revoked(rotating: FakeUserPool, signed_in: Browser) -> None:
    lose_an_answer_and_come_back_late(rotating, signed_in)()

    assert is_dead_at_the_pool(rotating, signed_in.person)
    assert not Revocation.objects.pending().exists()


def test_a_thief_who_refreshes_is_noticed_at_the_next_refresh(rotating: FakeUserPool, signed_in: Browser) -> None:
    stolen = signed_in.row.token_set().refresh_token
    rotating.refresh(stolen)

    with later(WHEN_REFRESH_IS_DUE):
        response = signed_in.get("/sessions/")

    assert response.status_code == 401
    assert Event.objects.filter(kind=Event.Kind.REFRESH_REUSED).count() == 1
    assert is_dead_at_the_pool(rotating, signed_in.person)
    assert not Session.objects.exists()


def test_a_global_sign_out_that_could_not_be_done_is_not_called_done(
    rotating: FakeUserPool, signed_in: Browser
) -> None:
    phone = rotating.sign_in(signed_in.person)
    rotating.fail("GlobalSignOut", Failure.UNAVAILABLE)
    rotating.fail(REFRESH, Failure.LOST_ANSWER, times=1)
    with later(WHEN_REFRESH_IS_DUE):
        signed_in.get("/")  # rotated at Cognito; the new token never arrived
        signed_in.post("/logout/everywhere/")
    rotating.recover()

    from accounts import tasks

    with later(WHEN_REFRESH_IS_DUE + 200):  # the access token has expired, and the grace is over
        tasks.deliver_revocations.call()

    phone_is_out = rotating.refresh_tokens[phone["refresh_token"]].sign_in.revoked
    told = Revocation.objects.filter(kind=Revocation.Kind.GLOBAL, state=Revocation.State.DONE)
    assert phone_is_out or not told.exists()
