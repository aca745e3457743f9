"""A day in bars: what happened in each hour, drawn by the server and readable as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Event, EventCount, Revocation

HOURS = 24
# Of events that the worker has not counted yet. On a busy site it is some minutes behind.
MOST_COUNTED = 1000
# One chart each: which kinds of event it counts, and how they are painted.
SERIES: tuple[tuple[str, str | Promise, tuple[str, ...]], ...] = (
    ("plain", _("Sign-ins"), (Event.Kind.SIGNED_IN,)),
    ("plain", _("Refreshes"), (Event.Kind.REFRESHED,)),
    ("bad", _("Failed refreshes"), (Event.Kind.REFRESH_FAILED, Event.Kind.REFRESH_REUSED)),
    ("plain", _("Sessions ended"), (Event.Kind.ENDED,)),
    ("plain", _("Revocations told"), (EventCount.REVOKED,)),
)
HEIGHT = 40


@dataclass(frozen=True, slots=True)
class Day:
    """What happened by hour and kind; `counted_until` is None if nothing is left to be counted."""

    counts: Mapping[tuple[datetime, str], int]
    counted_until: datetime | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of a chart; `y` and `height` are in the units of the drawing."""

    hour: datetime
    count: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    tone: str
    title: str | Promise
    bars: tuple[Bar, ...]

    @property
    def total(self) -> int:
        return sum(bar.count for bar in self.bars)

    @property
    def most(self) -> int:
        return max(bar.count for bar in self.bars)


def hours_until(now: datetime) -> list[datetime]:
    """Return the starts of the last hours, the one under way last."""
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [this_hour - timedelta(hours=back) for back in reversed(range(HOURS))]


def count_by_hour(hours: list[datetime]) -> Day:
    """Return what happened by hour and kind: as the worker has counted it, and the events after that one by one."""
    counts: Counter[tuple[datetime, str]] = Counter()
    since = hours[0]
    for hour, kind, count, last in EventCount.objects.by_hour(hours[0]):
        counts[hour, kind] = count
        since = max(since, last + EventCount.SLOT)
    latest = list(_since(since))
    for at, kind in latest:
        counts[at.replace(minute=0, second=0, microsecond=0), kind] += 1
    told = [at for at, kind in latest if kind == EventCount.REVOKED]
    happened = [at for at, kind in latest if kind != EventCount.REVOKED]
    return Day(counts, min((max(part) for part in (told, happened) if len(part) == MOST_COUNTED), default=None))


def _since(moment: datetime) -> QuerySet[Any, Any]:
    """Return when and what, of the next events and of the next revocations that Cognito was told."""
    done = Revocation.objects.filter(state=Revocation.State.DONE)
    events = _next(Event.objects.all(), "at", moment).values_list("at", "kind")
    told = _next(done, "settled_at", moment).values_list("settled_at", Value(EventCount.REVOKED))
    return events.union(told, all=True)


def _next(rows: QuerySet[Any], column: str, moment: datetime) -> QuerySet[Any]:
    """Keep the first rows from a moment on. A limit of both together would sort all that has happened since."""
    first = rows.filter(**{f"{column}__gte": moment}).order_by(column)[:MOST_COUNTED]
    found: QuerySet[Any] = rows.model._default_manager.order_by().filter(pk__in=first.values("pk"))
    return found


def charts(counts: Mapping[tuple[datetime, str], int], hours: list[datetime]) -> list[Chart]:
    return [
        Chart(tone, title, tuple(_bars(hours, [sum(counts.get((hour, kind), 0) for kind in kinds) for hour in hours])))
        for tone, title, kinds in SERIES
    ]


def rows_of(drawn: list[Chart]) -> list[tuple[Bar, ...]]:
    """Return the bars of all charts hour by hour, the newest first: the rows of a table that says the same."""
    return list(zip(*(chart.bars for chart in drawn), strict=True))[::-1]


def _bars(hours: list[datetime], counts: list[int]) -> Iterable[Bar]:
    most = max(*counts, 1)
    for number, (hour, count) in enumerate(zip(hours, counts, strict=True)):
        # What happened at all is seen, however little it is beside the rest.
        height = max(round(HEIGHT * count / most, 2), 1.5) if count else 0
        yield Bar(hour, count, x=number * 10, y=HEIGHT - height, height=height)
