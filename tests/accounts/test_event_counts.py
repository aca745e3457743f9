from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts import tasks
from accounts.hygiene import prune_batch
from accounts.models import Event, EventCount

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 31, 12, 34, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def counted() -> dict[tuple[datetime, str], int]:
    return {(row.start, row.kind): row.count for row in EventCount.objects.exclude(count=0)}


def test_a_slot_is_counted_once_its_stragglers_are_there() -> None:
    for minutes in (0, 4, 8, 9, 10, 14):
        Event.objects.create(at=NOW - minutes * MINUTE, kind=Event.Kind.REFRESHED)

    EventCount.objects.catch_up(NOW)

    # At 12:34 the slot from 12:25 is not five minutes over yet.
    assert counted() == {(datetime(2026, 1, 31, 12, 20, tzinfo=UTC), "refreshed"): 2}


def test_to_count_again_changes_nothing() -> None:
    Event.objects.create(at=NOW - 20 * MINUTE, kind=Event.Kind.ENDED)
    assert EventCount.objects.catch_up(NOW) > 0
    once = counted()

    assert EventCount.objects.catch_up(NOW) == 0
    Event.objects.create(at=NOW - 20 * MINUTE, kind=Event.Kind.ENDED)
    EventCount.objects.catch_up(NOW + 5 * MINUTE)

    assert counted() == once


def test_two_workers_that_count_the_same_slot_agree() -> None:
    Event.objects.create(at=NOW - 20 * MINUTE, kind=Event.Kind.ENDED)
    EventCount.objects.catch_up(NOW)
    once = counted()

    EventCount.objects._count(datetime(2026, 1, 31, 12, 10, tzinfo=UTC))

    assert counted() == once


def test_after_a_long_pause_only_what_is_still_drawn_is_counted() -> None:
    EventCount.objects.create(start=NOW - timedelta(days=3), kind="refreshed", count=5)

    assert EventCount.objects.catch_up(NOW) <= EventCount.DRAWN / EventCount.SLOT


def test_the_worker_counts_and_prunes_counts() -> None:
    EventCount.objects.create(start=NOW - timedelta(days=3), kind="refreshed", count=5)
    tasks.prune.func()

    assert EventCount.objects.filter(start__lte=NOW).count() == 0
    assert EventCount.objects.exists()
    assert prune_batch(NOW) == 0
