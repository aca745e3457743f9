"""How long it takes until nobody is signed in any more: `python -m tests.bench.revoke_all [--sessions 100000]`.

Measures the one UPDATE of `manage.py sessions revoke-all` on SQLite and on PostgreSQL, with few and with many live
sessions. Figures are of this machine; the ratios are what to compare.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import django

BATCH = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100_000)
    count = parser.parse_args().sessions
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    print(f"{'database':<12}{'sessions':>10}{'all ended':>12}{'one refused':>13}")  # noqa: T201
    for name, url in databases():
        for size in (count // 100, count):
            measure(name, url, size)


def databases() -> Iterator[tuple[str, str]]:
    from tests.servers import PostgresDatabases, PostgresServer, SqliteFiles

    with tempfile.TemporaryDirectory() as directory, PostgresServer() as server:
        yield "SQLite", SqliteFiles(Path(directory)).create()
        yield "PostgreSQL", PostgresDatabases(server).create()


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Give a list that holds the block's duration in seconds after it."""
    took: list[float] = []
    start = time.perf_counter()
    yield took
    took.append(time.perf_counter() - start)


def measure(name: str, url: str, size: int) -> None:
    from django.utils import timezone

    from accounts.models import EndReason, Session
    from tests.servers import orm_alias

    with orm_alias(url) as alias:
        sessions = Session.objects.using(alias)
        seed(alias, size)
        with stopwatch() as ending:
            ended = sessions.live(timezone.now()).end_at_once(EndReason.OPERATOR, timezone.now())
        one = sessions.first()
        with stopwatch() as refusing:
            refused = not sessions.live(timezone.now()).filter(pk=one.pk if one else "").exists()
        assert (ended, refused) == (size, True)
        sessions.all().delete()
    print(f"{name:<12}{size:>10,}{ending[0]:>11.2f}s{refusing[0] * 1000:>11.1f}ms")  # noqa: T201


def seed(alias: str, size: int) -> None:
    """Make so many live sessions of so many people."""
    from django.utils import timezone

    from accounts.management.progress import Progress
    from accounts.models import Session, User

    now = timezone.now()
    progress = Progress(size, "sessions seeded")
    for start in range(0, size, BATCH):
        people = [User(issuer="bench", subject=uuid.uuid4().hex) for _ in range(min(BATCH, size - start))]
        User.objects.using(alias).bulk_create(people)
        Session.objects.using(alias).bulk_create(
            Session(
                key_digest=uuid.uuid4().hex * 2,
                user=person,
                session_data="e30:signed",
                token_set_sealed="x" * 6000,
                expire_date=now + timedelta(minutes=30),
                ends_at=now + timedelta(hours=12),
                access_expires_at=now + timedelta(hours=1),
                refresh_due_at=now + timedelta(minutes=45),
            )
            for person in people
        )
        progress.step(len(people))
    progress.finish()


if __name__ == "__main__":
    main()
