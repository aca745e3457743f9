from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts import tasks
from accounts.management.commands.sweep import LOST_AFTER, sweep
from accounts.models import (
    AuthorizationRequest,
    EndedSession,
    EndReason,
    Event,
    Revocation,
    Session,
)
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pending(user: Browser, pool: FakeUserPool) -> Revocation:
    """A revocation that Cognito, silent at the time, could not be told of."""
    pool.fail("RevokeToken", Failure.UNAVAILABLE)
    user.post("/logout/")
    pool.recover()
    return Revocation.objects.get()


def work() -> None:
    """Look once for what is due, and let a worker do it."""
    sweep(timezone.now())
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)


def test_a_pending_revocation_is_delivered_by_the_worker_and_its_tokens_erased(
    pending: Revocation, pool: FakeUserPool
) -> None:
    with time_machine.travel(pending.due_at + timedelta(seconds=1), tick=True):
        work()

    pending.refresh_from_db()
    assert pending.state == Revocation.State.DONE
    assert pending.sealed == ""
    assert pool.calls.count("RevokeToken") == 2


def test_a_revocation_backing_off_is_left_alone(pending: Revocation, pool: FakeUserPool) -> None:
    work()

    pending.refresh_from_db()
    assert pending.is_pending
    assert pool.calls.count("RevokeToken") == 1


def test_a_revocation_claimed_by_a_killed_worker_is_delivered_once_the_claim_is_over(pending: Revocation) -> None:
    with time_machine.travel(pending.due_at + timedelta(seconds=1), tick=True):
        assert pending.claim(timezone.now())
        work()
        assert Revocation.objects.get().is_pending

    with time_machine.travel(pending.due_at + Revocation.CLAIM + timedelta(seconds=2), tick=True):
        work()

    assert Revocation.objects.get().state == Revocation.State.DONE


def test_two_workers_cannot_claim_the_same_revocation(pending: Revocation) -> None:
    copy = Revocation.objects.get()

    with time_machine.travel(pending.due_at + timedelta(seconds=1)):
        claims = [pending.claim(timezone.now()), copy.claim(timezone.now())]

    assert claims == [True, False]


def test_a_lost_task_is_started_again(pending: Revocation) -> None:
    with time_machine.travel(pending.due_at + timedelta(seconds=1), tick=True):
        sweep(timezone.now())
        DBTaskResult.objects.all().delete()
        sweep(timezone.now())
        assert not DBTaskResult.objects.exists()

    with time_machine.travel(pending.due_at + LOST_AFTER + timedelta(seconds=2), tick=True):
        work()

    assert Revocation.objects.get().state == Revocation.State.DONE


def test_tasks_do_not_pile_up_while_no_worker_runs(pending: Revocation) -> None:
    with time_machine.travel(pending.due_at + timedelta(seconds=1)):
        for _ in range(20):
            sweep(timezone.now())

    assert DBTaskResult.objects.filter(task_path="accounts.tasks.deliver_revocations").count() == 1


def test_back_off_grows_with_each_failure_and_has_an_end(pending: Revocation) -> None:
    waits = []
    for _ in range(14):
        now = timezone.now()
        pending.postpone("again", now)
        waits.append((pending.due_at - now).total_seconds())

    assert waits[0] < waits[2] < waits[4]
    assert max(waits) <= 1.25 * 3600


def test_a_revocation_whose_token_has_expired_by_itself_is_closed(pending: Revocation, pool: FakeUserPool) -> None:
    with time_machine.travel(pending.expires_at + timedelta(seconds=1), tick=True):
        tasks.deliver_revocations.call()

    pending.refresh_from_db()
    assert (pending.state, pending.sealed) == (Revocation.State.EXPIRED, "")
    assert pool.calls.count("RevokeToken") == 1


def test_a_revocation_that_no_key_opens_is_given_up_and_recorded(pending: Revocation, settings: object) -> None:
    Revocation.objects.update(sealed="x.y.z", due_at=timezone.now())

    tasks.deliver_revocations.call()

    pending.refresh_from_db()
    assert pending.state == Revocation.State.GIVEN_UP
    assert Event.objects.filter(kind=Event.Kind.REVOCATION_GIVEN_UP, user=pending.user).exists()


def test_prune_ends_lapsed_sessions_and_revokes_their_tokens(user: Browser, pool: FakeUserPool) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=True):
        tasks.prune.call()
        tasks.deliver_revocations.call()

    assert not Session.objects.exists()
    assert EndedSession.objects.get().reason == EndReason.IDLE
    assert pool.calls.count("RevokeToken") == 1


def test_prune_deletes_what_is_older_than_it_is_kept(user: Browser, visitor: Browser) -> None:
    visitor.start_sign_in()
    user.post("/logout/")

    with time_machine.travel(timezone.now() + timedelta(days=401), tick=True):
        tasks.prune.call()

    for model in (AuthorizationRequest, EndedSession, Revocation, Event):
        assert not model.objects.exists()


def test_prune_leaves_alone_what_is_still_wanted(user: Browser, visitor: Browser) -> None:
    visitor.start_sign_in()

    tasks.prune.call()

    assert Session.objects.count() == 1
    assert AuthorizationRequest.objects.filter(answered_at=None).count() == 1
    assert Event.objects.exists()
