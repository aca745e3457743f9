"""A day in bars: what happened in each hour, drawn by the server and readable as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Value
from django.db.models.functions import TruncHour
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import soft_cache
from accounts.models import Event, Revocation

Counts = dict[tuple[datetime, str], int]
HOURS = 24
ONE_HOUR = timedelta(hours=1)
# An event is written a little after the moment it bears.
STRAGGLERS = timedelta(minutes=5)
CACHE_KEY = "console:hours"
# One chart each: which kinds of event it counts, and how they are painted.
REVOKED = "revoked"
SERIES: tuple[tuple[str, str | Promise, tuple[str, ...]], ...] = (
    ("plain", _("Sign-ins"), (Event.Kind.SIGNED_IN,)),
    ("plain", _("Refreshes"), (Event.Kind.REFRESHED,)),
    ("bad", _("Failed refreshes"), (Event.Kind.REFRESH_FAILED, Event.Kind.REFRESH_REUSED)),
    ("plain", _("Sessions ended"), (Event.Kind.ENDED,)),
    ("plain", _("Revocations told"), (REVOKED,)),
)
HEIGHT = 40


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


def count_by_hour(hours: list[datetime], now: datetime) -> Counts:
    """Count what happened by hour and kind, asking the database only for hours that may still change."""
    known: dict[datetime, dict[str, int]] = soft_cache.get(CACHE_KEY) or {}
    counted = _counted_since(next(hour for hour in hours if hour not in known))
    counts = {hour: counted.get(hour) or known.get(hour, {}) for hour in hours}
    final = {hour: kinds for hour, kinds in counts.items() if hour + ONE_HOUR + STRAGGLERS <= now}
    if final.keys() != known.keys():
        soft_cache.put(CACHE_KEY, final, seconds=ONE_HOUR.total_seconds() * HOURS)
    return {(hour, kind): count for hour, kinds in counts.items() for kind, count in kinds.items()}


def _counted_since(since: datetime) -> dict[datetime, dict[str, int]]:
    """Count events, and revocations that Cognito was told, in one query."""
    told = Revocation.objects.filter(state=Revocation.State.DONE, settled_at__gte=since).order_by()
    by_hour = told.annotate(hour=TruncHour("settled_at"), kind_told=Value(REVOKED)).values_list("hour", "kind_told")
    rows = Event.objects.hourly(since).union(by_hour.annotate(count=Count("pk")), all=True)
    counted: dict[datetime, dict[str, int]] = {}
    for hour, kind, count in rows:
        counted.setdefault(hour, {})[kind] = count
    return counted


def charts(counts: Counts, hours: list[datetime]) -> list[Chart]:
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
