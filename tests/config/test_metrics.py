"""What Prometheus is told, and who may ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings
from time_machine import TimeMachineFixture

import accounts
import config.metrics
from accounts import measuring, metrics
from accounts.models import Chore, Revocation, Session
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

TOKEN = "only-prometheus-knows"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def metrics_token(settings: Settings) -> Iterator[None]:
    """Metrics are on, and the rows are read at each scrape."""
    settings.METRICS_TOKEN = TOKEN
    with patch.object(metrics, "KEPT_SECONDS", 0.0):
        yield
    if metrics.count in measuring.sinks:
        measuring.sinks.remove(metrics.count)


def samples(client: Client | None = None) -> dict[str, float]:
    """Return what a scrape tells, by name and labels as they are written."""
    response = (client or Client()).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in response.content.decode().splitlines() if line[0] != "#")
    }


def rise(before: dict[str, float], sample: str) -> float:
    return samples().get(sample, 0.0) - before.get(sample, 0.0)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_nobody_without_the_token_is_told_anything(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/metrics", headers=headers)

    assert (response.status_code, response.content) == (401, b"")


def test_being_signed_in_as_an_operator_does_not_help(admin: Browser) -> None:
    assert admin.get("/metrics").status_code == 401


def test_without_a_token_set_there_is_no_such_page(client: Client, settings: Settings, pool: FakeUserPool) -> None:
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_prometheus_asks_a_host_by_its_address_over_http(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    response = client.get("/metrics", headers={"host": "10.0.3.7:8000", "Authorization": f"Bearer {TOKEN}"})

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert list(text_string_to_metric_families(response.content.decode()))


def test_a_sign_in_is_counted_with_its_calls(visitor: Browser) -> None:
    before = samples()

    visitor.sign_in()

    assert rise(before, 'gatehouse_sign_in_seconds_count{outcome="ok"}') == 1
    assert rise(before, 'gatehouse_cognito_call_seconds_count{operation="exchange",outcome="ok"}') == 1
    assert rise(before, 'gatehouse_http_request_seconds_count{status="3xx",view="callback"}') == 1


def test_a_sign_in_that_fails_is_counted_by_its_page(visitor: Browser, pool: FakeUserPool) -> None:
    before = samples()
    pool.fail("token", Failure.UNAVAILABLE)

    visitor.sign_in()

    assert rise(before, 'gatehouse_sign_in_seconds_count{outcome="unavailable"}') == 1
    assert rise(before, 'gatehouse_sign_in_seconds_count{outcome="ok"}') == 0


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [(None, "ok"), (Failure.UNAVAILABLE, "postponed"), ("RefreshTokenReuseException", "ended")],
)
def test_a_refresh_is_counted_by_what_became_of_the_session(
    user: Browser, pool: FakeUserPool, failure: Failure | str | None, outcome: str
) -> None:
    Session.objects.update(refresh_due_at=utc_now() - timedelta(seconds=1))
    before = samples()
    if failure:
        pool.fail("GetTokensFromRefreshToken", failure)

    user.get("/")

    assert rise(before, f'gatehouse_refresh_seconds_count{{outcome="{outcome}"}}') == 1


@pytest.mark.parametrize(("failure", "outcome"), [(None, "ok"), (Failure.UNAVAILABLE, "unavailable")])
def test_a_probe_is_counted_by_its_answer(
    user: Browser, pool: FakeUserPool, failure: Failure | None, outcome: str
) -> None:
    before = samples()
    Session.objects.update(probe_due_at=utc_now() - timedelta(seconds=1))
    if failure:
        pool.fail("GetUser", failure)

    user.get("/")

    assert rise(before, f'gatehouse_probe_seconds_count{{outcome="{outcome}"}}') == 1


def test_a_revocation_is_counted_when_it_is_tried_and_as_a_row_until_it_is_done(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    before = samples()
    pool.fail("RevokeToken", Failure.UNAVAILABLE)
    user.post("/logout/")
    time_machine.move_to(utc_now() + timedelta(minutes=20))

    now = samples()

    assert rise(before, 'gatehouse_revocation_seconds_count{outcome="postponed"}') == 1
    assert now["gatehouse_revocations_pending"] == 1
    assert now["gatehouse_revocations_oldest_pending_seconds"] >= 1200
    assert now['gatehouse_sessions_ended_last_hour{reason="signed_out"}'] == 1


def test_live_sessions_are_told_by_health(user: Browser, outsider: Browser) -> None:
    Session.objects.filter(pk=outsider.row.pk).update(refresh_failures=2)

    told = samples()

    assert told['gatehouse_sessions{health="fresh"}'] == 1
    assert told['gatehouse_sessions{health="refresh_failing"}'] == 1


def test_a_worker_and_a_sweep_that_are_silent_show(user: Browser) -> None:
    Session.objects.update(expire_date=utc_now() - timedelta(hours=1))
    Chore.objects.create(name="prune", claimed_until=utc_now() - timedelta(hours=2))

    told = samples()

    assert told["gatehouse_sessions_overdue_seconds"] >= 3600
    assert told["gatehouse_sweep_overdue_seconds"] >= 7200


def test_what_the_worker_settled_is_told_from_its_rows(user: Browser) -> None:
    user.post("/logout/")
    Revocation.objects.update(state=Revocation.State.GIVEN_UP, settled_at=utc_now())

    assert samples()['gatehouse_revocations_settled_last_hour{state="given_up"}'] == 1


def test_many_scrapes_cost_the_database_one_look(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "KEPT_SECONDS", 60.0)
    monkeypatch.setattr(config.metrics, "ROWS", metrics.RowsCollector())

    with django_assert_max_num_queries(9):
        for _ in range(5):
            samples(client)


def test_without_the_database_the_counts_are_told_all_the_same(client: Client) -> None:
    def refuse(*args: object) -> None:
        raise OperationalError("db.internal:5432 refused")

    with connection.execute_wrapper(refuse):
        told = samples(client)

    assert told["gatehouse_rows_readable"] == 0
    assert "gatehouse_revocations_pending" not in told
    assert [name for name in told if name.startswith("gatehouse_cognito_call_seconds_count")]


def test_no_person_and_no_session_is_in_a_label(user: Browser) -> None:
    user.get("/profile/")
    user.get("/no-such-page-of-uma/")
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()

    told = [str(user.row.public_id), user.person.sub, "user@example.com", "127.0.0.1", "uma"]
    assert [each for each in told if each in response] == []
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", response)


def test_measuring_adds_no_query_to_a_page(user: Browser, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user.get("/api/session/")

    with django_assert_num_queries(2):  # the session with its user, and the user's groups, which this page tells
        user.get("/api/session/")


def test_accounts_works_without_prometheus() -> None:
    modules = [path for path in Path(accounts.__file__).parent.rglob("*.py") if path.name != "metrics.py"]

    needing = [
        path for path in modules if re.search(r"prometheus|accounts\.metrics|import .*\bmetrics\b", path.read_text())
    ]

    assert needing == []
