"""Workers that are killed, frozen or stopped in the middle of a refresh."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from accounts.models import Session
from tests.concurrency.support import REFRESH, Site
from tests.fake_user_pool import Failure
from tests.servers import AppServer, HttpBrowser

# What Cognito allows at the most.
GRACE_SECONDS = 60.0


@contextmanager
def page_load_cut_short(host: AppServer, user: HttpBrowser) -> Iterator[None]:
    """Load a page in the background; the block must kill the worker that works on it."""
    with ThreadPoolExecutor(1) as executor:
        loading = executor.submit(user.twin(host.url).get, "/")
        yield
        assert isinstance(loading.exception(timeout=10), requests.ConnectionError)


def kill_a_refresh_that_never_reached_cognito(site: Site, host: AppServer, user: HttpBrowser) -> None:
    site.pool.fail(REFRESH, Failure.HANG)
    with page_load_cut_short(host, user):
        site.pool.calls.wait_for(REFRESH)
        host.kill_workers()
    site.pool.recover(REFRESH)


def kill_a_refresh_whose_answer_is_on_its_way(site: Site, host: AppServer, user: HttpBrowser) -> None:
    with site.pool.answers_held(REFRESH) as rotated, page_load_cut_short(host, user):
        assert rotated.wait(10)
        host.kill_workers()


def test_another_worker_takes_over_a_refresh_that_never_reached_cognito(site: Site, other_host: AppServer) -> None:
    user = site.user()
    site.expire_access_tokens(user.person)
    kill_a_refresh_that_never_reached_cognito(site, other_host, user)
    site.let_the_lease_run_out(user.person)

    answer = user.get("/api/session/")

    assert answer.json()["health"] == "fresh"
    assert len(site.refreshes()) == 2


def test_within_the_grace_another_worker_takes_over_a_refresh_whose_answer_was_lost(
    site: Site, other_host: AppServer
) -> None:
    site.pool.grace_seconds = GRACE_SECONDS
    user = site.user()
    site.expire_access_tokens(user.person)
    kill_a_refresh_whose_answer_is_on_its_way(site, other_host, user)
    site.let_the_lease_run_out(user.person)

    answer = user.get("/api/session/")

    assert answer.json()["health"] == "fresh"
    assert site.session(user).token_set().refresh_token == site.pool.newest_refresh_token()


def test_without_grace_a_refresh_whose_answer_was_lost_ends_the_session_and_says_why(
    site: Site, other_host: AppServer
) -> None:
    user = site.user()
    site.expire_access_tokens(user.person)
    kill_a_refresh_whose_answer_is_on_its_way(site, other_host, user)
    site.let_the_lease_run_out(user.person)

    answer = user.get("/sessions/")

    assert answer.status_code == 401
    assert "Your session has ended" in answer.text
    assert "no longer gives this session new tokens" in answer.text
    assert site.ended_sessions(user.person).get().reason == "refresh_refused"
    assert not site.sessions(user.person).exists()


def test_a_worker_that_was_frozen_for_longer_than_its_lease_overwrites_nothing(
    site: Site, other_host: AppServer
) -> None:
    site.pool.grace_seconds = GRACE_SECONDS
    user = site.user()
    there = user.twin(other_host.url)
    site.expire_access_tokens(user.person)

    with ThreadPoolExecutor(1) as executor:
        with site.pool.answers_held(REFRESH) as rotated:
            frozen = executor.submit(there.get, "/api/session/")
            assert rotated.wait(10)
            other_host.freeze_workers()
        site.let_the_lease_run_out(user.person)
        answer = user.get("/api/session/")
        newest = site.session(user).token_set().refresh_token
        other_host.thaw_workers()
        thawed = frozen.result(timeout=10)

    assert answer.json()["health"] == "fresh"
    assert thawed.json()["health"] == "fresh"
    assert site.session(user).token_set().refresh_token == newest == site.pool.newest_refresh_token()


def test_a_host_that_is_stopped_finishes_its_refresh_first(site: Site, other_host: AppServer) -> None:
    user = site.user()
    site.expire_access_tokens(user.person)

    with ThreadPoolExecutor(1) as executor:
        with site.pool.answers_held(REFRESH) as rotated:
            leaving = executor.submit(user.twin(other_host.url).get, "/api/session/")
            assert rotated.wait(10)
            other_host.terminate()
        answer = leaving.result(timeout=10)

    assert answer.json()["health"] == "fresh"
    assert site.session(user).token_set().refresh_token == site.pool.newest_refresh_token()


@pytest.mark.slow
@pytest.mark.parametrize("databases", ["postgres_databases"], indirect=True)
def test_until_the_lease_runs_out_by_itself_nobody_is_signed_out(site: Site, other_host: AppServer) -> None:
    site.pool.grace_seconds = GRACE_SECONDS
    user = site.user()
    site.expire_access_tokens(user.person)
    kill_a_refresh_whose_answer_is_on_its_way(site, other_host, user)
    claimed_until = site.session(user).refresh_claimed_until

    answers = [user.get("/api/session/")]
    give_up = time.monotonic() + Session.REFRESH_LEASE.total_seconds() + 10
    while answers[-1].json()["health"] != "fresh" and time.monotonic() < give_up:
        time.sleep(0.2)  # more often than that it would be told to wait
        answers.append(user.get("/api/session/"))

    refreshed_at = site.session(user).refreshed_at
    assert {answer.status_code for answer in answers} == {200}
    assert answers[-1].json()["health"] == "fresh"
    assert claimed_until is not None
    assert refreshed_at is not None
    assert refreshed_at > claimed_until
