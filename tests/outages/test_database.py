"""The database gone, locked or restarted, under the app as it runs in production."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import requests
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Session
from tests.fake_user_pool import FakeUserPool
from tests.outages.support import closed_port
from tests.servers import AppServer, HttpBrowser, PostgresDatabases, PostgresServer, SqliteFiles, orm_alias
from tests.servers.environment import PROJECT, environment


@dataclass
class Site:
    """The app in one process with two threads, its pool and its database."""

    pool: FakeUserPool
    server: AppServer
    database_url: str

    def browser(self, name: str) -> HttpBrowser:
        return HttpBrowser(self.server.url, self.pool, self.pool.add_person(f"{name}@example.com"))

    def signed_in(self, name: str) -> HttpBrowser:
        browser = self.browser(name)
        browser.sign_in()
        return browser


@contextmanager
def served(url: str, log: Path) -> Iterator[Site]:
    with FakeUserPool() as pool:
        variables = pool.environment() | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.outages.settings"}
        with AppServer(variables, log=log, workers=1, threads=2) as server:
            pool.allow_site(server.url)
            yield Site(pool, server, url)


@pytest.fixture(scope="module")
def sqlite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("sqlite")
    with served(SqliteFiles(directory).create(), directory / "gunicorn.log") as site:
        yield site


@pytest.fixture(scope="module")
def postgres_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("postgres")
    with PostgresServer() as server:
        url = PostgresDatabases(server).create()
        with served(url, directory / "gunicorn.log") as site:
            yield site


@pytest.fixture(scope="module")
def site_without_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"postgres://nobody:nothing@127.0.0.1:{closed_port()}/gone"
    with served(url, tmp_path_factory.mktemp("gone") / "gunicorn.log") as site:
        yield site


@contextmanager
def another_writer(site: Site) -> Iterator[None]:
    """Hold SQLite's one write lock inside the block, longer than anybody waits for it."""
    writer = sqlite3.connect(site.database_url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        writer.execute("BEGIN IMMEDIATE")
        yield
    finally:
        writer.close()


# A database server that is not there


def test_without_a_database_the_process_is_alive_and_not_ready(site_without_database: Site) -> None:
    browser = site_without_database.browser("operator")

    health, readiness = browser.get("/healthz"), browser.get("/readyz")

    assert health.status_code == 200
    assert readiness.status_code == 503
    assert "database" in readiness.json()["failed"]


@pytest.mark.parametrize("page", ["/login/", "/sessions/", "/profile/"])
def test_without_a_database_who_has_a_session_keeps_its_cookie(site_without_database: Site, page: str) -> None:
    response = requests.get(
        f"{site_without_database.server.url}{page}",
        cookies={"session": "0123456789abcdefghijklmnopqrstuv"},
        headers={"Accept": "text/html"},
        timeout=10,
        allow_redirects=False,
    )

    assert response.status_code == 500
    assert "Something broke on our side" in response.text
    assert "Set-Cookie" not in response.headers
    assert "Traceback" not in response.text


def test_without_a_database_who_has_no_session_sees_the_start_page(site_without_database: Site) -> None:
    assert site_without_database.browser("newcomer").get("/").status_code == 200


def test_without_a_database_the_log_says_so(site_without_database: Site) -> None:
    site_without_database.browser("nobody").get("/login/")

    assert "OperationalError" in site_without_database.server.output()


def test_without_a_database_the_sweep_goes_on_looking_and_stops_when_told(site_without_database: Site) -> None:
    with subprocess.Popen(
        [sys.executable, "manage.py", "sweep", "--every", "0.1"],
        cwd=PROJECT,
        env=environment(DATABASE_URL=site_without_database.database_url),
        stderr=subprocess.PIPE,
        text=True,
    ) as sweep:
        assert sweep.stderr is not None
        lines = [sweep.stderr.readline() for _ in range(3)]
        is_running = sweep.poll() is None
        sweep.send_signal(signal.SIGTERM)
        code = sweep.wait(10)

    assert is_running
    assert any("Could not look for work, trying again" in line for line in lines)
    assert code == 0


def test_without_a_database_a_single_sweep_fails_so_that_its_scheduler_sees_it(site_without_database: Site) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "sweep", "--once"],
        cwd=PROJECT,
        env=environment(DATABASE_URL=site_without_database.database_url),
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert done.returncode != 0


# A database server that comes back


@pytest.mark.postgres
def test_after_a_restart_of_the_database_server_the_next_request_works(postgres_site: Site) -> None:
    user = postgres_site.signed_in("survivor")

    with psycopg.connect(postgres_site.database_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    time.sleep(0.2)
    statuses = [user.get("/profile/").status_code for _ in range(4)]

    assert statuses == [200] * 4


@pytest.mark.postgres
def test_a_table_locked_for_long_delays_people_and_loses_nothing(postgres_site: Site) -> None:
    user = postgres_site.signed_in("delayed")

    with ThreadPoolExecutor(1) as executor:
        with psycopg.connect(postgres_site.database_url) as migration:
            migration.execute("LOCK TABLE accounts_session IN ACCESS EXCLUSIVE MODE")
            page = executor.submit(user.get, "/profile/")
            with pytest.raises(TimeoutError):
                page.result(1)
        response = page.result(10)

    assert response.status_code == 200


def test_a_database_server_that_accepts_and_says_nothing_holds_a_thread_for_some_seconds_only(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://nobody:nothing@127.0.0.1:{silent.getsockname()[1]}/silent"
        with served(url, tmp_path / "gunicorn.log") as site:
            answer = requests.get(f"{site.server.url}/readyz", timeout=7)

    assert answer.status_code == 503


# SQLite, locked by another writer


def test_while_another_writer_holds_sqlite_pages_are_read_as_ever(sqlite_site: Site) -> None:
    user = sqlite_site.signed_in("reader")

    with another_writer(sqlite_site):
        statuses = [user.get(page).status_code for page in ("/", "/sessions/", "/tokens/", "/profile/")]

    assert statuses == [200] * 4


def test_while_another_writer_holds_sqlite_signing_out_fails_and_ends_nothing_by_halves(sqlite_site: Site) -> None:
    user = sqlite_site.signed_in("stuck")

    with another_writer(sqlite_site):
        refused = user.post("/logout/")

    assert refused.status_code == 500
    assert "Something broke on our side" in refused.text
    assert user.get("/profile/").status_code == 200
    assert user.post("/logout/").status_code == 302


def test_while_another_writer_holds_sqlite_nobody_begins_to_sign_in(sqlite_site: Site) -> None:
    visitor = sqlite_site.browser("early")

    with another_writer(sqlite_site):
        refused = visitor.get("/login/")

    assert refused.status_code == 500
    assert visitor.sign_in().status_code == 302


@pytest.mark.parametrize("column", ["last_seen_at", "probe_due_at", "refresh_due_at"])
def test_what_a_page_only_notes_by_the_way_does_not_fail_it(
    sqlite_site: Site, column: str, django_db_blocker: DjangoDbBlocker
) -> None:
    user = sqlite_site.signed_in(f"noted-{column}")
    with django_db_blocker.unblock(), orm_alias(sqlite_site.database_url) as alias:
        mine = Session.objects.using(alias).filter(user__subject=user.person.sub)
        mine.update(**{column: timezone.now() - timedelta(minutes=2)})

    with another_writer(sqlite_site):
        response = user.get("/")

    assert response.status_code == 200
