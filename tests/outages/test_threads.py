"""A slow Cognito and a worker process with few threads: who needs nothing of Cognito need not wait for it long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.cognito.breaker import FAILURES_TO_OPEN
from accounts.models import Session
from tests.fake_user_pool import Failure, FakeUserPool
from tests.outages.impatient.apps import OPEN_SECONDS, READ_SECONDS
from tests.servers import AppServer, HttpBrowser, SqliteFiles, orm_alias

REFRESH = "GetTokensFromRefreshToken"
THREADS = 4
# A home page on a busy machine.
PROMPTLY = 0.8


class Site:
    """The app in one process with four threads, its pool and its sessions."""

    def __init__(self, pool: FakeUserPool, server: AppServer, alias: str) -> None:
        self.pool = pool
        self.server = server
        self.alias = alias

    def signed_in(self, name: str) -> HttpBrowser:
        browser = HttpBrowser(self.server.url, self.pool, self.pool.add_person(f"{name}@example.com"))
        browser.sign_in()
        return browser

    def expire_access_tokens(self, *browsers: HttpBrowser) -> None:
        """Move sessions to where a refresh is overdue and may be tried at once."""
        ago = timezone.now() - timedelta(seconds=1)
        rows = Session.objects.using(self.alias).filter(user__subject__in=[each.person.sub for each in browsers])
        rows.update(refresh_due_at=ago, access_expires_at=ago, refresh_failures=0)

    def seconds_for_home(self, browser: HttpBrowser) -> float:
        answer = browser.get("/")
        assert answer.status_code == 200
        return answer.elapsed.total_seconds()


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("threads")
    url = SqliteFiles(directory).create()
    with FakeUserPool() as pool:
        variables = pool.environment() | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.outages.settings"}
        variables["COGNITO_CALLS_AT_ONCE"] = str(THREADS // 2)
        with AppServer(variables, log=directory / "gunicorn.log", workers=1, threads=THREADS) as server:
            pool.allow_site(server.url)
            with django_db_blocker.unblock(), orm_alias(url) as alias:
                yield Site(pool, server, alias)


@pytest.fixture
def site(shared_site: Site) -> Site:
    """The app with a healthy Cognito, its circuit closed."""
    shared_site.pool.recover()
    time.sleep(OPEN_SECONDS)
    closer = shared_site.signed_in(f"closes-the-circuit-{time.monotonic_ns()}")
    shared_site.expire_access_tokens(closer)
    closer.get("/")
    shared_site.pool.calls.clear()
    return shared_site


def crowd(site: Site, name: str, count: int) -> list[HttpBrowser]:
    with ThreadPoolExecutor(4) as executor:
        return list(executor.map(site.signed_in, [f"{name}-{number}" for number in range(count)]))


def fail_until_the_circuit_opens(site: Site, people: list[HttpBrowser]) -> None:
    for _ in range(FAILURES_TO_OPEN):  # few at a time get through to fail
        site.expire_access_tokens(*people)
        with ThreadPoolExecutor(8) as executor:
            list(executor.map(site.seconds_for_home, people))


def test_a_hanging_cognito_holds_the_threads_once_and_then_nobody(site: Site) -> None:
    other, people = site.signed_in("calm"), crowd(site, "many", 16)
    site.expire_access_tokens(*people)
    site.pool.fail(REFRESH, Failure.HANG)

    with ThreadPoolExecutor(16) as executor:
        waiting = [executor.submit(site.seconds_for_home, person) for person in people]
        site.pool.calls.wait_for(REFRESH)
        during = site.seconds_for_home(other)
        worst = max(each.result(30) for each in waiting)
    fail_until_the_circuit_opens(site, people)
    site.expire_access_tokens(*people)
    open_circuit = [site.seconds_for_home(person) for person in [*people, other]]

    # Threads under way when the fifth failure is noted may finish: twice around, at the most. On a machine that takes
    # its time there are calls besides that look whether Cognito is back, each after a pause.
    most = FAILURES_TO_OPEN - 1 + THREADS
    starts = [call.started for call in site.pool.calls.of(REFRESH)]
    looks = [later for earlier, later in pairwise(starts) if later - earlier > OPEN_SECONDS + READ_SECONDS / 2]
    assert len(starts) - len(looks) <= most
    assert during < 2 * READ_SECONDS + PROMPTLY
    assert worst < 2 * READ_SECONDS + 2 * PROMPTLY
    assert max(open_circuit) < PROMPTLY
    assert Session.objects.using(site.alias).filter(user__email__startswith="many-").count() == 16


def test_the_circuit_looks_with_one_call_and_closes_when_that_is_answered(site: Site) -> None:
    people = crowd(site, "patient", 8)
    site.pool.fail(REFRESH, Failure.HANG)
    fail_until_the_circuit_opens(site, people)

    time.sleep(OPEN_SECONDS)
    site.pool.calls.clear()
    site.expire_access_tokens(*people)
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(site.seconds_for_home, people))
    looks = site.pool.calls.count(REFRESH)
    site.pool.recover()
    time.sleep(OPEN_SECONDS)
    site.expire_access_tokens(*people)
    profiles = [person.get("/profile/").status_code for person in people]

    assert looks == 1
    assert profiles == [200] * 8


def test_a_hanging_cognito_leaves_a_thread_to_who_needs_nothing_of_it(site: Site) -> None:
    other, people = site.signed_in("other"), crowd(site, "busy", THREADS)
    site.expire_access_tokens(*people)
    site.pool.fail(REFRESH, Failure.HANG)

    with ThreadPoolExecutor(THREADS) as executor:
        waiting = [executor.submit(site.seconds_for_home, person) for person in people]
        site.pool.calls.wait_for(REFRESH, THREADS // 2)
        site.seconds_for_home(other)
        still_waiting = [each for each in waiting if not each.done()]
        [each.result(30) for each in waiting]

    assert still_waiting


def test_one_person_with_many_tabs_leaves_a_thread_to_others(site: Site) -> None:
    other, impatient = site.signed_in("neighbour"), site.signed_in("tabs")
    site.expire_access_tokens(impatient)
    site.pool.fail(REFRESH, Failure.HANG)

    with ThreadPoolExecutor(THREADS) as executor:
        waiting = [executor.submit(site.seconds_for_home, impatient) for _ in range(THREADS)]
        site.pool.calls.wait_for(REFRESH)
        site.seconds_for_home(other)
        still_waiting = [each for each in waiting if not each.done()]
        [each.result(30) for each in waiting]

    assert still_waiting
