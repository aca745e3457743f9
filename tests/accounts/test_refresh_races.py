"""Refreshes that meet one another, or the end of their session."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from pytest_django import Settings
from time_machine import TimeMachineFixture

from accounts import refresh
from accounts.conf import token_verifier, user_pool
from accounts.models import EndedSession, Session
from tests.accounts.support import Background, utc_now
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

pytestmark = pytest.mark.django_db(transaction=True)
REFRESH = "GetTokensFromRefreshToken"
DUE, EXPIRED, LEASE_IS_OVER = timedelta(minutes=46), timedelta(minutes=61), timedelta(seconds=21)


@pytest.fixture(autouse=True)
def no_other_reason(settings: Settings) -> None:
    """Keep time limits and probes out of these tests."""
    settings.SESSION_IDLE_SECONDS = settings.SESSION_ABSOLUTE_SECONDS = 10**6
    settings.COGNITO_REFRESH_TOKEN_SECONDS = settings.COGNITO_PROBE_SECONDS = 10**6


def another_tab(browser: Browser) -> Browser:
    """Return a second tab of the same browser, for another thread."""
    tab = Browser(browser.pool, browser.person)
    tab.cookies["session"] = browser.cookies["session"].value
    return tab


def advance(time_machine: TimeMachineFixture, by: timedelta) -> None:
    time_machine.move_to(utc_now() + by)


def test_while_one_request_refreshes_others_go_on_with_the_old_token(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    tab = another_tab(user)
    advance(time_machine, DUE)

    with pool.held(REFRESH):
        slow = Background(lambda: tab.get("/sessions/"))
        pool.calls.wait_for(REFRESH)
        began = time.monotonic()
        response = user.get("/sessions/")
        took = time.monotonic() - began

    assert response.status_code == slow.answer().status_code == 200
    assert took < 5  # and not until the other one is done, which waits for us here
    assert pool.calls.count(REFRESH) == 1


def test_with_an_expired_token_others_wait_for_the_new_one(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance(time_machine, EXPIRED)
    elsewhere = user.row
    assert elsewhere.claim_refresh(utc_now()) is not None
    naps = []

    def meanwhile(seconds: float) -> None:
        """Let the other process finish while this one sleeps for the second time."""
        naps.append(seconds)
        if len(naps) == 2:
            response = user_pool().refresh(elsewhere.token_set().refresh_token)
            tokens = token_verifier().verify_refresh(
                response, before=elsewhere.token_set(), subject=user.person.sub, now=utc_now()
            )
            assert elsewhere.finish_refresh(tokens, utc_now())

    monkeypatch.setattr(time, "sleep", meanwhile)
    response = user.get("/profile/")

    assert response.status_code == 200
    assert len(naps) == 2
    assert pool.calls.count(REFRESH) == 1


def test_the_wait_for_somebody_elses_refresh_is_bounded(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "WAIT_SECONDS", 0.3)
    advance(time_machine, EXPIRED)
    assert user.row.claim_refresh(utc_now()) is not None  # by a worker that was killed then

    home, profile = user.get("/"), user.get("/profile/")

    assert home.status_code == 200
    assert profile.status_code == 503
    assert pool.calls.count(REFRESH) == 0


def test_the_claim_of_a_killed_worker_is_taken_over(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    advance(time_machine, DUE)
    assert user.row.claim_refresh(utc_now()) is not None
    user.get("/")
    meanwhile = pool.calls.count(REFRESH)

    advance(time_machine, LEASE_IS_OVER)
    user.get("/")

    assert meanwhile == 0
    assert pool.calls.count(REFRESH) == 1
    assert user.row.refresh_claim is None


def test_only_one_claim_is_given(user: Browser, time_machine: TimeMachineFixture) -> None:
    advance(time_machine, DUE)
    copies = [user.row for _ in range(5)]

    claims = [copy.claim_refresh(utc_now()) for copy in copies]

    assert len([claim for claim in claims if claim]) == 1


def test_a_session_that_ends_during_its_refresh_never_comes_back(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.rotation = True
    tab = another_tab(user)
    advance(time_machine, DUE)

    with pool.held(REFRESH):
        refreshing = Background(lambda: tab.get("/sessions/"))
        pool.calls.wait_for(REFRESH)
        assert user.post("/logout/").status_code == 302

    assert refreshing.answer().status_code in {302, 401}
    assert not Session.objects.exists()
    assert EndedSession.objects.count() == 1
    assert all(sign_in.revoked for sign_in in pool.sign_ins.values())


def test_tokens_received_for_a_session_that_has_ended_are_revoked_too(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    """The refresh has succeeded at Cognito when the session ends, but its answer is still on the way."""
    pool.rotation = True
    tab = another_tab(user)
    advance(time_machine, DUE)
    pool.slow("jwks", float("inf"))
    pool.rotate_keys()

    refreshing = Background(lambda: tab.get("/sessions/"))
    pool.calls.wait_for("jwks", 2)
    user.post("/logout/")
    pool.recover("jwks")

    assert refreshing.answer().status_code in {302, 401}
    assert not Session.objects.exists()
    revoked = {call.parameters["Token"] for call in pool.calls.of("RevokeToken")}
    assert len(revoked) == 2  # the token as of the end, and the one received after it


def test_a_refresh_that_was_overtaken_signs_nobody_out(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    """A worker that was suspended for longer than its lease finds that another has refreshed, with a grace period."""
    pool.rotation = True
    pool.grace_seconds = 60
    tab = another_tab(user)
    advance(time_machine, DUE)
    pool.slow(REFRESH, float("inf"), times=1)

    suspended = Background(lambda: tab.get("/sessions/"))
    pool.calls.wait_for(REFRESH)
    advance(time_machine, LEASE_IS_OVER)
    quick = user.get("/sessions/")
    newest = user.row.token_set()
    pool.recover(REFRESH)

    assert quick.status_code == suspended.answer().status_code == 200
    assert user.row.token_set() == newest
    assert not EndedSession.objects.exists()


def test_a_reuse_error_of_an_overtaken_refresh_signs_nobody_out(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.rotation = True
    pool.grace_seconds = 0
    tab = another_tab(user)
    advance(time_machine, DUE)
    pool.slow(REFRESH, float("inf"), times=1)

    suspended = Background(lambda: tab.get("/sessions/"))
    pool.calls.wait_for(REFRESH)
    advance(time_machine, LEASE_IS_OVER)
    quick = user.get("/sessions/")
    pool.recover(REFRESH)

    assert quick.status_code == suspended.answer().status_code == 200
    assert not EndedSession.objects.exists()


def test_a_late_answer_is_kept_if_nobody_else_got_one(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    """A worker is suspended for longer than its lease; who takes over fails; then the first one's answer arrives."""
    pool.rotation = True
    pool.grace_seconds = 0
    tab = another_tab(user)
    advance(time_machine, DUE)
    pool.slow(REFRESH, float("inf"), times=1)

    suspended = Background(lambda: tab.get("/sessions/"))
    pool.calls.wait_for(REFRESH)
    advance(time_machine, LEASE_IS_OVER)
    pool.fail(REFRESH, Failure.UNAVAILABLE, times=1)
    user.get("/sessions/")
    pool.recover(REFRESH)
    suspended.answer()
    advance(time_machine, timedelta(seconds=5))

    assert user.get("/sessions/").status_code == 200
