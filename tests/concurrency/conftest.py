"""The app for real, on SQLite and on PostgreSQL; tests share its processes and bring people of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from pytest_django import DjangoDbBlocker

from tests.concurrency.support import LatePool, Site
from tests.servers import AppServer, Databases, PostgresDatabases, PostgresServer, SqliteFiles, orm_alias


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    with PostgresServer() as server:
        yield PostgresDatabases(server)


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("sqlite_files", id="sqlite"),
        pytest.param("postgres_databases", id="postgresql", marks=pytest.mark.postgres),
    ],
)
def databases(request: pytest.FixtureRequest) -> Databases:
    found: Databases = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def shared_site(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    """The app with four workers, and its pool."""
    url = databases.create()
    log = tmp_path_factory.mktemp("app") / "gunicorn.log"
    with ExitStack() as stack:
        pool = stack.enter_context(LatePool())
        server = stack.enter_context(AppServer(pool.environment() | {"DATABASE_URL": url}, log=log))
        pool.allow_site(server.url)
        stack.enter_context(django_db_blocker.unblock())
        yield Site(pool, server, url, stack.enter_context(orm_alias(url)))


@pytest.fixture(scope="session")
def shared_other_host(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A second master with two workers, for the same site."""
    log = tmp_path_factory.mktemp("other-host") / "gunicorn.log"
    variables = shared_site.server.variables
    with AppServer(variables, log=log, workers=2, site_url=shared_site.server.url) as server:
        yield server


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """The app as if freshly started: rotation is on and forgives nothing; no fault, no call."""
    pool = shared_site.pool
    pool.rotation, pool.grace_seconds = True, 0.0
    pool.recover()
    pool.calls.clear()
    with _log_of(shared_site.server):
        yield shared_site


@pytest.fixture
def other_host(site: Site, shared_other_host: AppServer) -> Iterator[AppServer]:
    """A second host of the same site, started again if a test has stopped it."""
    if shared_other_host.is_stopping:
        shared_other_host.stop()
        shared_other_host.start()
    with _log_of(shared_other_host):
        yield shared_other_host


@contextmanager
def _log_of(server: AppServer) -> Iterator[None]:
    """Print what the server printed meanwhile; pytest shows it if the test fails."""
    start = len(server.output())
    yield
    sys.stdout.write(server.output(since=start))
