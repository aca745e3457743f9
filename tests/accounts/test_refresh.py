"""Silent refresh, one request at a time; races have a file of their own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings
from time_machine import TimeMachineFixture

from accounts.models import EndedSession, EndReason, Session, TokenHealth
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool
from tests.fake_user_pool.web import Response

REFRESH = "GetTokensFromRefreshToken"
SECOND = timedelta(seconds=1)
# The access token lives an hour; 75 % of that, less the spread.
NOT_YET, DUE, EXPIRED = timedelta(minutes=41, seconds=30), timedelta(minutes=45, seconds=1), timedelta(minutes=61)


@pytest.fixture(autouse=True)
def no_other_reason(settings: Settings) -> None:
    """Keep time limits and probes out of these tests."""
    settings.SESSION_IDLE_SECONDS = settings.SESSION_ABSOLUTE_SECONDS = 10**6
    settings.COGNITO_REFRESH_TOKEN_SECONDS = settings.COGNITO_PROBE_SECONDS = 10**6


class Clock:
    """The time since a moment, set by the test."""

    def __init__(self, time_machine: TimeMachineFixture) -> None:
        self._time_machine = time_machine
        self._began = utc_now()

    def set(self, since: timedelta) -> None:
        self._time_machine.move_to(self._began + since)

    def advance(self, by: timedelta) -> None:
        self._time_machine.move_to(utc_now() + by)


@pytest.fixture
def clock(user: Browser, time_machine: TimeMachineFixture) -> Clock:
    """The time since the user signed in."""
    del user
    return Clock(time_machine)


def refreshes(pool: FakeUserPool) -> int:
    return pool.calls.count(REFRESH)


# --- When


def test_tokens_are_not_refreshed_before_it_is_due(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    clock.set(NOT_YET)

    user.get("/")

    assert refreshes(pool) == 0


def test_tokens_are_refreshed_once_when_it_is_due(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    before = user.row.token_set()
    clock.set(DUE)

    for _ in range(3):
        assert user.get("/").status_code == 200

    assert refreshes(pool) == 1
    assert user.row.token_set().access_token != before.access_token
    assert user.row.health(utc_now()) == TokenHealth.FRESH


def test_the_moment_is_spread_over_five_per_cent_of_the_life(visitor: Browser) -> None:
    shares = set()
    for _ in range(20):
        visitor.cookies.clear()
        Session.objects.all().delete()
        visitor.sign_in()
        row = visitor.row
        assert row.access_issued_at is not None
        assert row.access_expires_at is not None
        assert row.refresh_due_at is not None
        life = row.access_expires_at - row.access_issued_at
        shares.add((row.refresh_due_at - row.access_issued_at) / life)

    assert len(shares) > 10
    assert min(shares) >= 0.70
    assert max(shares) <= 0.75


@pytest.mark.parametrize("seconds", [300, 900, 86400])
def test_the_moment_follows_the_tokens_own_life(visitor: Browser, pool: FakeUserPool, seconds: int) -> None:
    pool.access_token_seconds = seconds

    visitor.sign_in()

    row = visitor.row
    assert row.access_issued_at is not None
    assert row.refresh_due_at is not None
    assert 0.70 * seconds <= (row.refresh_due_at - row.access_issued_at).total_seconds() <= 0.75 * seconds


def test_a_page_for_nobody_refreshes_nothing(user: Browser, visitor: Browser, pool: FakeUserPool, clock: Clock) -> None:
    clock.set(DUE)

    visitor.get("/")

    assert refreshes(pool) == 0


# --- Rotation


def test_without_rotation_the_refresh_token_stays(user: Browser, clock: Clock) -> None:
    before = user.row.token_set()
    clock.set(DUE)

    user.get("/")

    assert user.row.token_set().refresh_token == before.refresh_token


def test_with_rotation_the_newest_refresh_token_is_kept(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.rotation = True
    seen = {user.row.token_set().refresh_token}

    for number in range(1, 4):
        clock.set(number * DUE)
        assert user.get("/sessions/").status_code == 200
        seen.add(user.row.token_set().refresh_token)

    assert len(seen) == 4
    assert refreshes(pool) == 3


def test_rotation_may_be_switched_while_sessions_live(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    for number, rotation in enumerate([False, True, True, False, True], start=1):
        pool.rotation = rotation
        clock.set(number * DUE)
        assert user.get("/sessions/").status_code == 200

    assert refreshes(pool) == 5
    assert Session.objects.get().refresh_failures == 0


# --- Outages

OUTAGES: dict[str, Failure | str | Response] = {
    "throttled": Failure.THROTTLED,
    "internal error": Failure.INTERNAL_ERROR,
    "unavailable": Failure.UNAVAILABLE,
    "closed": Failure.CLOSED,
    "HTML": Failure.HTML,
    "truncated": Failure.TRUNCATED_JSON,
    "lost answer": Failure.LOST_ANSWER,
    "configuration alarm": "ResourceNotFoundException",
    "blocked": "ForbiddenException",
    "unknown code": "NeverHeardOfException",
}


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_an_outage_signs_nobody_out(user: Browser, pool: FakeUserPool, clock: Clock, outage: Failure | str) -> None:
    pool.fail(REFRESH, outage)
    clock.set(DUE)

    for _ in range(3):
        assert user.get("/sessions/").status_code == 200

    assert refreshes(pool) == 1
    assert user.row.refresh_failures == 1
    assert user.row.health(utc_now()) == TokenHealth.REFRESH_FAILING


@pytest.mark.parametrize("body", [b"null", b"[]", b'{"AuthenticationResult": []}'])
def test_nonsense_signs_nobody_out(user: Browser, pool: FakeUserPool, clock: Clock, body: bytes) -> None:
    pool.fail(REFRESH, Response(200, body, {"Content-Type": "application/x-amz-json-1.1"}))
    clock.set(DUE)

    assert user.get("/sessions/").status_code == 200
    assert user.row.refresh_failures == 1


def test_a_refused_connection_signs_nobody_out(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    clock.set(DUE)

    with pool.down():
        response = user.get("/sessions/")

    assert response.status_code == 200
    assert user.row.refresh_failures == 1


def test_each_step_of_the_back_off_costs_one_attempt(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.fail(REFRESH, "TooManyRequestsException")
    clock.set(DUE)
    waits = []

    for attempt in range(1, 9):
        for _ in range(3):
            user.get("/")
        assert refreshes(pool) == attempt
        due = user.row.refresh_due_at
        assert due is not None
        waits.append((due - utc_now()).total_seconds())
        clock.advance(due - utc_now() + SECOND)

    assert 1 < waits[0] < 2.6
    assert waits[4] > 4 * waits[0]
    assert all(wait <= 75 for wait in waits)


def test_an_outage_of_days_breaks_no_page(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    Session.objects.update(refresh_failures=5000)
    clock.set(DUE)

    with pool.down():
        response = user.get("/")

    assert response.status_code == 200


def test_a_refresh_after_an_outage_forgets_the_failures(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.fail(REFRESH, Failure.THROTTLED, times=1)
    clock.set(DUE)
    user.get("/")

    clock.advance(3 * SECOND)
    user.get("/")

    assert refreshes(pool) == 2
    assert user.row.refresh_failures == 0
    assert user.row.refresh_error == ""


def test_with_an_expired_access_token_pages_that_need_none_go_on(
    user: Browser, pool: FakeUserPool, clock: Clock
) -> None:
    clock.set(EXPIRED)

    with pool.down():
        home, profile = user.get("/"), user.get("/profile/")

    assert home.status_code == 200
    assert profile.status_code == 503
    assert int(profile["Retry-After"]) > 0
    assert user.row.health(utc_now()) == TokenHealth.REFRESH_FAILING


def test_after_the_outage_everything_works_again(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    clock.set(EXPIRED)
    with pool.down():
        user.get("/")

    clock.advance(3 * SECOND)
    response = user.get("/profile/")

    assert response.status_code == 200
    assert not EndedSession.objects.exists()


def test_keys_that_cannot_be_read_lose_no_rotated_refresh_token(
    user: Browser, pool: FakeUserPool, clock: Clock
) -> None:
    pool.rotation = True
    before = user.row.token_set()
    clock.set(DUE)
    pool.rotate_keys()
    pool.fail("jwks", Failure.UNAVAILABLE)
    user.get("/")
    kept = user.row.token_set()

    pool.recover()
    clock.advance(timedelta(seconds=15))
    response = user.get("/sessions/")

    assert kept.refresh_token != before.refresh_token
    assert kept.access_token == before.access_token
    assert response.status_code == 200
    assert user.row.refresh_failures == 0


def test_a_clock_that_is_off_loses_no_rotated_refresh_token(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.rotation = True
    before = user.row.token_set()
    clock.set(DUE)
    pool.clock_skew = 300
    response = user.get("/sessions/")

    assert response.status_code == 200
    assert user.row.token_set().refresh_token != before.refresh_token
    assert user.row.refresh_failures == 1


# --- Refusals


@pytest.mark.parametrize(
    "code",
    ["NotAuthorizedException", "UserNotFoundException", "UserNotConfirmedException", "PasswordResetRequiredException"],
)
def test_a_refusal_ends_the_session_and_leads_back(user: Browser, pool: FakeUserPool, clock: Clock, code: str) -> None:
    pool.fail(REFRESH, code)
    clock.set(DUE)

    response = user.get("/sessions/?page=2")

    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.REFRESH_REFUSED
    assert response.context["action_url"] == "/login/?next=%2Fsessions%2F%3Fpage%3D2"
    assert not Session.objects.exists()


def test_a_disabled_person_is_out_at_the_next_refresh(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.disable(user.person)
    clock.set(DUE)

    response = user.get("/sessions/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.REFRESH_REFUSED


def test_a_json_client_is_told_in_json(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.disable(user.person)
    clock.set(DUE)

    response = user.get("/sessions/", headers={"accept": "application/json"})

    assert response.status_code == 401
    assert response["Content-Type"] == "application/json"


def test_a_posted_form_leads_back_to_the_page_it_was_on(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.disable(user.person)
    clock.set(DUE)

    response = user.post("/sessions/revoke-others/")

    assert response.status_code == 401
    assert response.context["action_url"] == "/login/?next=%2Fsessions%2F"


def test_without_a_grace_period_reuse_ends_the_session(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.rotation = True
    pool.grace_seconds = 0
    pool.refresh(user.row.token_set().refresh_token)  # somebody else got hold of it
    clock.set(DUE)

    response = user.get("/sessions/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.REFRESH_REFUSED


def test_an_answer_that_was_lost_is_made_up_for_within_the_grace_period(
    user: Browser, pool: FakeUserPool, clock: Clock
) -> None:
    pool.rotation = True
    pool.grace_seconds = 30
    pool.fail(REFRESH, Failure.LOST_ANSWER, times=1)
    clock.set(DUE)
    user.get("/sessions/")

    clock.advance(3 * SECOND)
    response = user.get("/sessions/")

    assert response.status_code == 200
    assert user.row.refresh_failures == 0
    assert refreshes(pool) == 2


def test_after_the_grace_period_a_lost_answer_ends_the_session_cleanly(
    user: Browser, pool: FakeUserPool, clock: Clock
) -> None:
    pool.rotation = True
    pool.grace_seconds = 30
    pool.fail(REFRESH, Failure.LOST_ANSWER, times=1)
    clock.set(DUE)
    user.get("/sessions/")

    clock.advance(31 * SECOND)
    response = user.get("/sessions/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.REFRESH_REFUSED


@pytest.mark.django_db(transaction=True)
def test_tokens_of_somebody_else_end_the_session_and_are_revoked(
    user: Browser, pool: FakeUserPool, clock: Clock
) -> None:
    pool.rotation = True
    clock.set(DUE)
    pool.tamper("id_token", lambda claims: claims | {"sub": "somebody-else"})
    pool.tamper("access_token", lambda claims: claims | {"sub": "somebody-else"})

    response = user.get("/sessions/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.REJECTED
    assert all(sign_in.revoked for sign_in in pool.sign_ins.values())


def test_a_refresh_waits_for_a_key_that_this_server_lacks(user: Browser, clock: Clock, settings: Settings) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = ["YW5vdGhlci1rZXktMDEyMzQ1Njc4OWFiY2RlZjAxMjM"]
    clock.set(DUE)

    response = user.get("/sessions/")

    assert response.status_code == 200
    assert user.row.refresh_error.startswith("UnknownKeyError")


def test_damaged_tokens_end_the_session_at_the_refresh(user: Browser, clock: Clock) -> None:
    Session.objects.update(token_set_sealed=user.row.token_set_sealed[:-8] + "AAAAAAAA")
    clock.set(DUE)

    response = user.get("/sessions/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.UNREADABLE


def test_a_wrong_client_secret_signs_nobody_out(user: Browser, pool: FakeUserPool, clock: Clock) -> None:
    pool.client_secrets = ["replaced" * 4]
    clock.set(DUE)

    response = user.get("/sessions/")

    assert response.status_code == 200
    assert user.row.refresh_failures == 1
