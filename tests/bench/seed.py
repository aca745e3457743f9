"""Fill a database as a busy site has it: `python -m tests.bench.seed --database URL [--sessions 1000000]`.

The database is migrated and empty. PostgreSQL takes the rows by COPY, SQLite in batches. People have one session or
twenty, and one has 200; sessions are of every age and health; ends have revocations in every state; and there are
three events a session, spread over three days. Equal numbers make equal rows, but for the clock; of what is rare
there is as little on a large site as on a small one.
"""

from __future__ import annotations

import argparse
import base64
import os
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

import django

if TYPE_CHECKING:
    from django.db.models import Model

    from accounts.management.progress import Progress

Row = dict[str, Any]
BATCH = 2000
MOST_OF_ONE_PERSON = 200
# There are about so many of what is rare, however large the site: needles whose haystack grows.
RARE = 100
BUSY_MAILBOX = "busy.person@example.com"
OFFICE = "198.51.100.7"
SMALL_GROUP, LARGE_GROUP, ALMOST_ALL = "auditors", "finance", "employees"
# As long as three tokens are when they are sealed, and as hard to compress.
SEALED = base64.urlsafe_b64encode(random.Random(7).randbytes(2700)).decode()
EVENTS_PER_SESSION = 3
ENDED_PER_SESSION = 0.3
NAMES = ("ana.lima", "ben.okafor", "chiara.russo", "dmitri.volkov", "eva.novak", "hiro.tanaka", "li.wei", "zoe.adams")
BROWSERS = (
    *(("Chrome 131", "Windows 10", 46), ("Mobile Safari 18", "iOS 18", 22), ("Edge 130", "Windows 11", 14)),
    *(("Firefox 132", "Ubuntu", 9), ("Safari 18", "Mac OS X 14", 6), ("", "", 2)),
    *(("Samsung Internet 26", "Android 14", 1),),
)
# How many sessions a person has, and how often that is so.
HOW_MANY = {1: 55, 2: 22, 3: 12, 4: 6, 6: 3, 12: 1.5, 20: 0.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, metavar="URL", help="its DATABASE_URL")
    parser.add_argument("--sessions", type=int, default=1_000_000)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from tests.servers import orm_alias

    with orm_alias(options.database) as alias:
        seed(alias, options.sessions)


def seed(alias: str, sessions: int) -> None:
    """Write the rows of a site with so many live sessions, and gather the statistics that plans are made from."""
    from django.db import connections
    from django.utils import timezone

    from accounts.management.progress import Progress
    from accounts.models import EndedSession, Event, EventCount, Revocation, Session, User

    site = Site(sessions, timezone.now())
    progress = Progress(site.total, "rows seeded")
    copy(alias, User, site.people(), progress)
    join_groups(alias, site)
    copy(alias, Session, site.sessions(), progress)
    ends = list(site.ends())
    copy(alias, Revocation, (revocation for revocation, _ in ends), progress)
    copy(alias, EndedSession, (ended for _, ended in ends), progress)
    copy(alias, Event, site.events(), progress)
    progress.finish()
    EventCount.objects.db_manager(alias).catch_up(site.now)
    with connections[alias].cursor() as cursor:
        # As autovacuum would leave a table that has been there for a while.
        cursor.execute("VACUUM ANALYZE" if connections[alias].vendor == "postgresql" else "ANALYZE")


class Site:
    """The rows of one site, from chance and the clock alone."""

    def __init__(self, sessions: int, now: datetime) -> None:
        self.now = now
        self.chance = random.Random(sessions)
        self.counts = [min(MOST_OF_ONE_PERSON, sessions), *self._how_many(sessions - MOST_OF_ONE_PERSON)]
        self.people_ids = [self.uuid() for _ in self.counts]
        self.opened: list[tuple[UUID, UUID]] = []
        self.rare = min(RARE / sessions, 0.01)
        self.ended = int(sessions * ENDED_PER_SESSION)
        self.total = len(self.counts) + 2 * self.ended + (1 + EVENTS_PER_SESSION) * sum(self.counts)

    def _how_many(self, sessions: int) -> Iterator[int]:
        while sessions > 0:
            for count in self.chance.choices([*HOW_MANY], [*HOW_MANY.values()], k=BATCH):
                if sessions > 0:
                    yield min(count, sessions)
                sessions -= count

    def uuid(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def ago(self, longest: timedelta, *, skew: int = 1) -> datetime:
        """Return a moment at most so long ago; the higher the skew, the nearer to now."""
        return self.now - longest * self.chance.random() ** skew

    def people(self) -> Iterator[Row]:
        for number, pk in enumerate(self.people_ids):
            name = self.chance.choice(NAMES)
            yield {
                "id": pk,
                "issuer": "https://issuer.example",
                "subject": str(pk),
                "email": f"{name}.{number}@example.com" if number else BUSY_MAILBOX,
                "email_verified": True,
                "name": name.replace(".", " ").title(),
                "date_joined": self.ago(timedelta(days=300)),
            }

    def members(self, group: str) -> list[UUID]:
        ids = self.people_ids
        return {SMALL_GROUP: ids[:20], LARGE_GROUP: ids[::50], ALMOST_ALL: ids[: len(ids) * 9 // 10]}[group]

    def sessions(self) -> Iterator[Row]:
        for person, count in zip(self.people_ids, self.counts, strict=True):
            for _ in range(count):
                row = self._session()
                self.opened.append((row["public_id"], person))
                yield row | {"user_id": person, "token_set_sealed": SEALED, "session_data": "e30:signed"}

    def _session(self) -> Row:
        seen = self.ago(timedelta(hours=12), skew=2)
        expires = seen + timedelta(minutes=60) * self.chance.random()
        return {
            **self._traits(seen),
            "expire_date": self.now + timedelta(days=1) * (1 + self.chance.random()),
            "ends_at": self.now + timedelta(days=7),
            "token_version": 3,
            "origin_jti": str(self.uuid()),
            "scopes": "openid email profile aws.cognito.signin.user.admin",
            "access_issued_at": expires - timedelta(hours=1),
            "access_expires_at": expires,
            "refresh_due_at": expires - timedelta(minutes=15),
            "probe_due_at": seen + timedelta(minutes=1),
            **self._trouble(seen),
        }

    def _traits(self, seen: datetime) -> Row:
        """Return what a session and the trace of its end have in common."""
        browser, system, _ = self.chance.choices(BROWSERS, [share for *_, share in BROWSERS])[0]
        if self.chance.random() < self.rare:
            browser = "Opera 115"
        return {
            "public_id": self.uuid(),
            "key_digest": f"{self.chance.getrandbits(256):064x}",
            "started_at": seen - timedelta(days=6) * self.chance.random() ** 2,
            "last_seen_at": seen,
            "ip_address": self._address(),
            "browser": browser,
            "system": system,
        }

    def _address(self) -> str:
        kind = self.chance.random()
        if kind < 0.1:
            return OFFICE
        bits = self.chance.getrandbits(32)
        if kind < 0.4:
            return f"2001:db8:{bits >> 16:x}:{bits & 0xFFFF:x}::1"
        return f"{bits >> 24}.{bits >> 16 & 255}.{bits >> 8 & 255}.{bits & 255}"

    def _trouble(self, seen: datetime) -> Row:
        kind = self.chance.random()
        if kind < self.rare:
            return {"refresh_failures": 3, "refresh_error": "ProviderUnavailableError: no answer in time"}
        if kind < 30 * self.rare and seen > self.now - timedelta(minutes=1):
            return {"refresh_claim": self.uuid(), "refresh_claimed_until": self.now + timedelta(hours=1)}
        return {}

    def ends(self) -> Iterator[tuple[Row, Row]]:
        """Yield revocations, each with the ended session it is about."""
        for number in range(self.ended):
            ended_at, person = self.ago(timedelta(days=29)), self.chance.choice(self.people_ids)
            traits = self._traits(ended_at - timedelta(minutes=5))
            revocation = {
                "id": self.uuid(),
                "user_id": person,
                "session_id": traits["public_id"],
                "kind": "refresh_token",
                "created_at": ended_at,
                "due_at": self.now + timedelta(hours=1),
                "expires_at": ended_at + timedelta(days=30),
                **self._fate(ended_at),
            }
            flagged = {"flagged_at": ended_at} if number < RARE // 5 else {}
            kept = {"user_id": person, "reason": "idle", "ended_at": ended_at, "revocation_id": revocation["id"]}
            yield revocation, traits | kept | flagged

    def _fate(self, ended_at: datetime) -> Row:
        rare = min(RARE / self.ended, 0.05)
        state = self.chance.choices(("done", "expired", "given_up", "pending"), (0.9, 0.1, rare, rare))[0]
        return {"state": state, "sealed": SEALED} if state == "pending" else {"state": state, "settled_at": ended_at}

    def events(self) -> Iterator[Row]:
        """Yield events in the order in which they happened."""
        count = EVENTS_PER_SESSION * len(self.opened)
        kinds = ("refreshed", "signed_in", "ended", "refresh_failed", "refresh_reused")
        drawn = self.chance.choices(kinds, (0.7, 0.18, 0.12, RARE / count, RARE / count), k=count)
        for number, kind in enumerate(drawn):
            session, person = self.chance.choice(self.opened)
            by_operator = {"actor_id": self.people_ids[0], "reason": "operator"} if number % 1000 == 0 else {}
            yield {
                "at": self.now - timedelta(days=3) * (1 - number / count),
                "kind": "ended" if by_operator else kind,
                "session_id": session,
                "user_id": person,
                "ip_address": OFFICE,
                "request_id": "0123456789abcdef0123456789abcdef",
                **by_operator,
            }


def join_groups(alias: str, site: Site) -> None:
    """Make a group of 20 people, one of every fiftieth person and one of almost all."""
    from django.contrib.auth.models import Group

    from accounts.management.progress import Progress
    from accounts.models import User

    membership = User.groups.through
    for name in (SMALL_GROUP, LARGE_GROUP, ALMOST_ALL):
        group, _ = Group.objects.using(alias).get_or_create(name=name)
        ids = site.members(name)
        progress = Progress(len(ids), f"members of {name}")
        copy(alias, membership, ({"user_id": pk, "group_id": group.pk} for pk in ids), progress)
        progress.finish()


def copy(alias: str, model: type[Model], rows: Iterable[Row], progress: Progress) -> None:
    """Write rows to an empty table; what a row leaves out gets the model's default."""
    from django.db import connections

    write = _copy_to_postgres if connections[alias].vendor == "postgresql" else _create_in_batches
    write(alias, model, _counted(rows, progress))


def _counted(rows: Iterable[Row], progress: Progress) -> Iterator[Row]:
    for row in rows:
        yield row
        progress.step()


def _copy_to_postgres(alias: str, model: type[Model], rows: Iterable[Row]) -> None:
    from django.db import connections

    fields = [field for field in model._meta.concrete_fields if not field.generated and not _counts_itself(field)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    defaults = [(field.attname, field.get_default()) for field in fields]
    statement = f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN'
    # Made again afterwards: sorting a million keys at once is quicker than finding the place of each.
    with connections[alias].schema_editor() as editor:
        for index in model._meta.indexes:
            editor.remove_index(model, index)
    with connections[alias].connection.cursor() as cursor, cursor.copy(statement) as target:
        for row in rows:
            target.write_row([row.get(name, default) for name, default in defaults])
    with connections[alias].schema_editor() as editor:
        for index in model._meta.indexes:
            editor.add_index(model, index)


def _counts_itself(field: Any) -> bool:
    return field.get_internal_type() in ("AutoField", "BigAutoField")


def _create_in_batches(alias: str, model: type[Model], rows: Iterable[Row]) -> None:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        model._base_manager.using(alias).bulk_create([model(**row) for row in batch])


if __name__ == "__main__":
    main()
