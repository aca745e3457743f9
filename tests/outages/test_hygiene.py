"""Background work: in bounded batches, and no slower than a slow Cognito makes it."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import hygiene, tasks
from accounts.models import AuthorizationRequest, EndedSession, EndReason, Event, Revocation, Session
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool
from tests.outages.support import later

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd(user: Browser, pool: FakeUserPool) -> list[Browser]:
    """Six more browsers of the user."""
    browsers = [Browser(pool, user.person) for _ in range(6)]
    for browser in browsers:
        browser.sign_in()
    return browsers


def test_a_batch_is_bounded_whatever_there_is_to_do(user: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hygiene, "BATCH", 10)
    long_ago = timezone.now() - timedelta(days=500)
    Event.objects.bulk_create(Event(kind=Event.Kind.REFRESHED, at=long_ago) for _ in range(25))
    AuthorizationRequest.objects.bulk_create(
        AuthorizationRequest(state_digest=uuid4().hex, browser_digest="b", sealed="", expires_at=long_ago)
        for _ in range(25)
    )

    batches = [hygiene.prune_batch(timezone.now()) for _ in range(4)]

    assert batches == [20, 20, 10, 0]


def test_pruning_takes_as_many_batches_as_there_are(user: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hygiene, "BATCH", 10)
    Event.objects.bulk_create(
        Event(kind=Event.Kind.REFRESHED, at=timezone.now() - timedelta(days=500)) for _ in range(35)
    )

    assert tasks.prune.call() == 35

    assert Event.objects.filter(kind=Event.Kind.SIGNED_IN).exists()


def test_lapsed_sessions_are_ended_with_their_reason_while_cognito_is_down(
    user: Browser, crowd: list[Browser], pool: FakeUserPool
) -> None:
    with pool.down(), later(31 * 60):
        tasks.prune.call()

    assert not Session.objects.exists()
    assert set(EndedSession.objects.values_list("reason", flat=True)) == {EndReason.IDLE}
    assert Revocation.objects.pending().count() == 7


def test_after_an_outage_the_worker_tells_cognito_of_all_of_them(
    user: Browser, crowd: list[Browser], pool: FakeUserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.cognito.breaker.OPEN_SECONDS", 0.0)
    with pool.down(), later(31 * 60):
        tasks.prune.call()

    with later(33 * 60):
        assert tasks.deliver_revocations.call() == 7

    assert not Revocation.objects.pending().exists()


def test_while_cognito_is_down_the_worker_tries_each_revocation_once_per_back_off_step(
    user: Browser, crowd: list[Browser], pool: FakeUserPool
) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)
    user.post("/sessions/revoke-others/")

    with later(10):
        tasks.deliver_revocations.call()
        tasks.deliver_revocations.call()

    # The first failed in the request, and the rest was left to the worker.
    attempts = sorted(Revocation.objects.values_list("attempts", flat=True))
    assert attempts == [1, 1, 1, 1, 1, 2]


def test_a_slow_cognito_keeps_nobody_waiting_for_each_of_many_revocations(
    user: Browser, crowd: list[Browser], pool: FakeUserPool
) -> None:
    pool.slow("RevokeToken", 0.8)
    started = time.monotonic()

    user.post("/sessions/revoke-others/")

    assert time.monotonic() - started < 3.5
    assert not Session.objects.exclude(pk=user.get("/").wsgi_request.session_row.pk).exists()  # type: ignore[attr-defined]
