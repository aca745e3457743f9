"""What `python -m tests.bench.console` measures with a million sessions, held to its rules with a few thousand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from accounts.models import EndedSession, Event, EventCount, Revocation, Session, User
from dashboard import paging
from dashboard.console import overview
from tests.bench import console
from tests.bench.console import MOST_QUERIES, MOST_QUERIES_OF_OWN_PAGES, Result
from tests.bench.pages import Site
from tests.bench.seed import BUSY_MAILBOX, seed
from tests.servers import PostgresDatabases, PostgresServer, SqliteFiles, orm_alias

SIZE_ON_SQLITE, SIZE_ON_POSTGRES = 500, 20_000
GROWING = r"accounts_(session|endedsession|event|revocation|user)\b"


@pytest.fixture(scope="module")
def small_site(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    url = SqliteFiles(Path(tmp_path_factory.mktemp("bench"))).create()
    with django_db_blocker.unblock(), orm_alias(url) as alias:
        seed(alias, SIZE_ON_SQLITE)
        yield Site(alias, SIZE_ON_SQLITE)


@pytest.fixture(scope="module")
def large_site(django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    with (
        PostgresServer() as server,
        django_db_blocker.unblock(),
        orm_alias(PostgresDatabases(server).create()) as alias,
    ):
        seed(alias, SIZE_ON_POSTGRES)
        yield Site(alias, SIZE_ON_POSTGRES)


@pytest.fixture(
    params=[
        pytest.param("small_site", id="sqlite"),
        pytest.param("large_site", id="postgresql", marks=pytest.mark.postgres),
    ]
)
def site(request: pytest.FixtureRequest) -> Site:
    found: Site = request.getfixturevalue(request.param)
    return found


def queries_of(site: Site, path: str) -> list[str]:
    """Return what a page asks the database."""
    with site.as_default(), CaptureQueriesContext(connections[site.alias]) as captured:
        site.open(path)
    return [query["sql"] for query in captured.captured_queries]


def test_a_seeded_site_has_what_a_busy_one_has(site: Site) -> None:
    with site.as_default():
        busy = User.objects.get(email=BUSY_MAILBOX)

        # Two more sessions: of the operator and of the busy person, who are signed in.
        assert Session.objects.count() == site.size + 2
        assert busy.sessions.count() == 201
        assert Event.objects.count() == 3 * site.size
        assert EndedSession.objects.flagged().exists()
        assert EventCount.objects.filter(count__gt=0).exists()
        assert set(Revocation.objects.values_list("state", flat=True)) == set(Revocation.State)
        assert Session.objects.filter(refresh_failures__gt=0).exists()


def test_no_page_of_the_console_takes_more_than_six_queries(site: Site) -> None:
    counts = {name: len(queries_of(site, path)) for name, path in site.console.items()}

    assert {name: count for name, count in counts.items() if count > MOST_QUERIES} == {}


def test_no_page_of_ones_own_takes_more_than_three(site: Site) -> None:
    counts = {name: len(queries_of(site, path)) for name, path in site.own.items()}

    assert {name: count for name, count in counts.items() if count > MOST_QUERIES_OF_OWN_PAGES} == {}


def test_no_page_counts_a_table(site: Site) -> None:
    bounded = re.compile(r"LIMIT \d+|\"user_id\" = \(\"accounts_user\".\"id\"\)")
    asked = {(name, sql) for name, path in site.console.items() for sql in queries_of(site, path)}

    counting = {(name, sql) for name, sql in asked if "COUNT(" in sql and re.search(GROWING, sql)}
    assert {(name, sql) for name, sql in counting if not bounded.search(sql)} == set()


@pytest.mark.postgres
def test_no_page_reads_a_table_from_end_to_end(large_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # As small a part of this table as the usual ones are of a million rows.
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 100)
    monkeypatch.setattr(overview, "MOST_COUNTED", 100)
    asked = [(name, sql) for name, path in large_site.console.items() for sql in queries_of(large_site, path)]

    with connections[large_site.alias].cursor() as cursor:
        scans = set()
        for name, sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            # The people of a few hundred sessions may come from a small table as a whole: nobody would wait for it.
            tables = GROWING if name.startswith("people") else GROWING.replace("|user", "")
            scans |= {(name, found[0]) for found in re.finditer(rf"Seq Scan on {tables}.*", plan)}

    assert scans == set()


def test_ending_sessions_can_be_measured_again_and_again(site: Site) -> None:
    with site.as_default():
        before = Session.objects.count()
        site.end_everything_of_one_person()

        assert Session.objects.count() == before


def test_only_what_is_slower_by_more_than_chance_is_too_slow() -> None:
    steady = Result("page", seconds={10: [0.010, 0.011, 0.012], 1000: [0.012, 0.012, 0.013]})
    jittery = Result("page", seconds={10: [0.001, 0.001, 0.001], 1000: [0.003, 0.003, 0.003]})
    slow = Result("page", seconds={10: [0.010, 0.010, 0.010], 1000: [0.018, 0.018, 0.090]})
    chatty = Result("page", most_queries=6, queries=7, seconds=steady.seconds)

    assert [result.is_good for result in (steady, jittery, slow, chatty)] == [True, True, False, False]


def test_the_report_says_whether_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    slow = Result("page", seconds={10: [0.010], 1000: [0.020]})

    assert not console.report([slow])
    assert "2.00" in capsys.readouterr().out
