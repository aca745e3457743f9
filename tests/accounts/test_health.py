"""What load balancers ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from config.health import require_migrations

pytestmark = pytest.mark.django_db


class BrokenCache(LocMemCache):
    """A cache whose server is out of reach."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("cache.internal:6379 refused")

    set = add = incr = get


@contextmanager
def database_down() -> Iterator[None]:
    def refuse(*args: Any) -> Any:
        raise OperationalError("db.internal:5432 refused")

    with connection.execute_wrapper(refuse):
        yield


def test_healthz_says_that_the_process_answers(client: Client) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok\n")


def test_healthz_needs_no_database(client: Client) -> None:
    with database_down():
        assert client.get("/healthz").status_code == 200


def test_healthz_looks_at_no_cookie(client: Client) -> None:
    client.cookies["session"] = "some0key0of0a0browser0somewhere0"
    client.raise_request_exception = False

    with database_down():
        assert client.get("/healthz").status_code == 200


def test_readyz_says_that_all_is_well(client: Client) -> None:
    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"ready": True, "failed": {}})


def test_without_the_database_the_process_is_not_ready(client: Client) -> None:
    with database_down():
        response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"ready": False, "failed": {"database": "OperationalError"}}


def test_without_the_cache_the_process_is_ready_and_says_so(client: Client, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"ready": True, "failed": {"cache": "ConnectionError"}}


@pytest.fixture
def newest_migration() -> Iterator[str]:
    require_migrations.cache_clear()
    [(_, name)] = MigrationLoader(connection).graph.leaf_nodes("accounts")
    yield name
    require_migrations.cache_clear()


def test_with_migrations_to_do_the_process_is_not_ready(client: Client, newest_migration: str) -> None:
    MigrationRecorder(connection).record_unapplied("accounts", newest_migration)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["failed"] == {"database": "UnappliedMigrationsError"}


def test_a_process_becomes_ready_once_the_database_is_migrated(client: Client, newest_migration: str) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("accounts", newest_migration)
    before = client.get("/readyz")

    recorder.record_applied("accounts", newest_migration)

    assert (before.status_code, client.get("/readyz").status_code) == (503, 200)


def test_a_ready_process_costs_the_database_one_query_a_probe(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/readyz")

    with django_assert_num_queries(1):
        client.get("/readyz")


def test_what_is_wrong_tells_strangers_no_addresses(client: Client, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}

    with database_down():
        response = client.get("/readyz")

    assert "internal" not in response.content.decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_not_sent_to_https(client: Client, settings: Settings, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(path).status_code == 200
    assert client.get("/").status_code == 301
