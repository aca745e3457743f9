"""A run: people sign in, everything happens to the fleet, and in the end somebody looks how things stand."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from accounts.models import Revocation, Session
from tests.fleet.crowd import AT_ONCE, Crowd, Seat
from tests.fleet.disasters import Fate
from tests.fleet.fleet import Fleet
from tests.fleet.ledger import Ledger
from tests.servers import orm_alias

# What a killed worker had claimed is taken up again after a minute.
SETTLE_SECONDS = 180.0


def live_through(directory: Path, *, people: int, seconds: float) -> Ledger:
    """Let a fleet and so many people live through everything, again and again for so long but once at least."""
    fleet = Fleet(directory)
    with fleet.up(), orm_alias(fleet.database_url) as alias, closing(Crowd(fleet, people)) as crowd:
        crowd.arrive()
        fate = Fate(fleet, crowd, alias)
        began = time.monotonic()
        crowd.begin()
        fate.round()
        while time.monotonic() - began < seconds:
            fate.round()
        crowd.leave()
        _wait_until_cognito_knows(fleet, alias)
        _look_once_more(crowd)
        sessions = Session.objects.using(alias).filter(user__isnull=False)
        return Ledger(
            pool=fleet.pool,
            visits=list(crowd.visits),
            disasters=fate.disasters,
            began=began,
            live=dict(sessions.values_list("origin_jti", "ip_address")),
            addresses={seat.browser.address for someone in crowd.people for seat in someone.seats},
            restarts=fate.restarts,
        )


def _wait_until_cognito_knows(fleet: Fleet, alias: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while Revocation.objects.using(alias).pending().exists():
        if time.monotonic() > deadline:
            left = list(Revocation.objects.using(alias).pending().values("state", "attempts", "last_error", "due_at"))
            raise TimeoutError(f"Cognito has still not been told: {left}")
        fleet.revive()
        time.sleep(0.5)


def _look_once_more(crowd: Crowd) -> None:
    """Load a page that needs fresh tokens in every browser in which somebody is signed in."""
    seats = [seat for someone in crowd.people for seat in someone.seats if seat.is_signed_in]
    with ThreadPoolExecutor(AT_ONCE) as executor:
        list(executor.map(lambda seat: Seat.load(seat, "/profile/"), seats))
