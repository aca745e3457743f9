"""What holds after everything has happened to a fleet once."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.fleet import report
from tests.fleet.disasters import UNLUCKY
from tests.fleet.ledger import CLAIMS, Ledger
from tests.fleet.parts import MissingToolError, nginx, redis_server
from tests.fleet.story import live_through

PEOPLE = 200
pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def require_tools() -> None:
    if sys.platform != "linux":
        pytest.skip("needs Linux, where every address of 127.0.0.0/8 is this machine")
    try:
        nginx()
        redis_server()
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Ledger]:
    require_tools()
    with django_db_blocker.unblock():
        yield live_through(tmp_path_factory.mktemp("fleet"), people=PEOPLE, seconds=60)


@pytest.fixture(autouse=True)
def told(ledger: Ledger) -> None:
    """Print the table; pytest shows it if the test fails."""
    print(report.table(ledger))  # noqa: T201


@pytest.mark.parametrize("claim", CLAIMS)
def test_whatever_has_happened(ledger: Ledger, claim: str) -> None:
    assert not CLAIMS[claim](ledger)


def test_it_did_happen(ledger: Ledger) -> None:
    worker_killed, host_killed, *others = ledger.disasters

    assert worker_killed.cut_short == 1
    assert host_killed.cut_short >= UNLUCKY
    assert len(others) >= 3
    assert ledger.pool.refreshes > len(ledger.live) >= PEOPLE
    assert ledger.told > 0
