"""Processes that are killed in the middle of ending a session, or of telling Cognito about it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import Chore, Revocation
from tests.concurrency.support import AGO, LatePool, Site
from tests.fake_user_pool import Failure
from tests.servers import AppServer, HttpBrowser
from tests.servers.environment import PROJECT, environment, manage

REVOKE = "RevokeToken"
WORKER = ("db_worker", "--batch", "--interval", "0", "--no-startup-delay", "--no-reload")


@contextmanager
def sign_out_cut_short(host: AppServer, user: HttpBrowser) -> Iterator[None]:
    """Sign out in the background; the block must kill the worker that works on it."""
    with ThreadPoolExecutor(1) as executor:
        leaving = executor.submit(user.twin(host.url).post, "/logout/")
        yield
        assert isinstance(leaving.exception(timeout=10), requests.ConnectionError)


@contextmanager
def nobody_else_writes(site: Site) -> Iterator[None]:
    """Hold up every transaction that writes a revocation."""
    with transaction.atomic(using=site.alias), connections[site.alias].cursor() as cursor:
        is_postgres = connections[site.alias].vendor == "postgresql"
        cursor.execute(
            "LOCK TABLE accounts_revocation IN EXCLUSIVE MODE" if is_postgres else "DELETE FROM accounts_chore WHERE 0"
        )
        yield


def revocations(site: Site, user: HttpBrowser) -> list[Revocation]:
    return list(Revocation.objects.using(site.alias).filter(user__subject=user.person.sub))


def let_claims_run_out(site: Site) -> None:
    ago = timezone.now() - AGO
    Revocation.objects.using(site.alias).update(claimed_until=ago, due_at=ago)
    Chore.objects.using(site.alias).update(claimed_until=ago)


def let_a_worker_do_it(site: Site) -> None:
    manage("sweep", "--once", variables=site.server.variables)
    manage(*WORKER, variables=site.server.variables)


def is_dead_at_the_pool(pool: LatePool, user: HttpBrowser) -> bool:
    return all(each.revoked for each in pool.sign_ins.values() if each.person is user.person)


def test_killed_before_the_end_is_committed_nothing_has_ended(site: Site, other_host: AppServer) -> None:
    user = site.user()

    with ThreadPoolExecutor(1) as executor:
        with nobody_else_writes(site):
            leaving = executor.submit(user.twin(other_host.url).post, "/logout/")
            with pytest.raises(TimeoutError):
                leaving.result(timeout=1.5)
            other_host.kill_workers()
        assert isinstance(leaving.exception(timeout=10), requests.ConnectionError)

    assert user.get("/api/session/").status_code == 200
    assert revocations(site, user) == []
    assert user.twin().post("/logout/").status_code == 302
    assert [each.state for each in revocations(site, user)] == [Revocation.State.DONE]


def test_killed_before_cognito_is_told_a_worker_tells_it(site: Site, other_host: AppServer) -> None:
    user = site.user()
    site.pool.fail(REVOKE, Failure.HANG)
    with sign_out_cut_short(other_host, user):
        site.pool.calls.wait_for(REVOKE)
        other_host.kill_workers()
    site.pool.recover()

    refused = user.get("/api/session/").status_code
    [pending] = revocations(site, user)
    let_claims_run_out(site)
    let_a_worker_do_it(site)

    assert refused == 401
    assert pending.is_pending
    [told] = revocations(site, user)
    assert (told.state, told.sealed) == (Revocation.State.DONE, "")
    assert is_dead_at_the_pool(site.pool, user)


def test_killed_after_cognito_was_told_it_is_told_once_more_and_nothing_else_happens(
    site: Site, other_host: AppServer
) -> None:
    user = site.user()
    second = site.user(user.person)
    with site.pool.answers_held(REVOKE) as revoked, sign_out_cut_short(other_host, user):
        assert revoked.wait(10)
        other_host.kill_workers()

    let_claims_run_out(site)
    let_a_worker_do_it(site)

    assert site.pool.calls.count(REVOKE) == 2
    assert [each.state for each in revocations(site, user)] == [Revocation.State.DONE]
    assert second.get("/profile/").status_code == 200


def test_a_revocation_whose_worker_is_killed_is_delivered_by_the_next(site: Site) -> None:
    user = site.user()
    site.pool.fail(REVOKE, Failure.UNAVAILABLE)
    user.post("/logout/")
    site.pool.recover()
    site.pool.calls.clear()
    let_claims_run_out(site)
    site.pool.fail(REVOKE, Failure.HANG)
    manage("sweep", "--once", variables=site.server.variables)

    with subprocess.Popen(
        [sys.executable, "manage.py", *WORKER], cwd=PROJECT, env=environment(**site.server.variables)
    ) as worker:
        site.pool.calls.wait_for(REVOKE, seconds=20)
        worker.kill()
    site.pool.recover()
    [claimed] = revocations(site, user)
    let_claims_run_out(site)
    let_a_worker_do_it(site)

    assert claimed.is_pending
    assert [each.state for each in revocations(site, user)] == [Revocation.State.DONE]
    assert is_dead_at_the_pool(site.pool, user)
