from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Max, Sum
from django.db.models.functions import TruncHour

from accounts.models.event import Event
from accounts.models.revocation import Revocation


class EventCountManager(models.Manager["EventCount"]):
    def catch_up(self, now: datetime) -> int:
        """Count what fell into each slot that is over and not counted yet, and return how many slots that were.

        A slot is counted by all workers alike, and written by the first: to be killed or to be late does no harm.
        """
        starts = list(self._uncounted(now))
        for start in starts:
            self._count(start)
        return len(starts)

    def by_hour(self, since: datetime) -> models.QuerySet[EventCount, tuple[datetime, str, int, datetime]]:
        """Sum up counts by hour and kind: tuples of the hour, the kind, the number and the last slot."""
        hours = self.filter(start__gte=since).order_by().annotate(hour=TruncHour("start"))
        return hours.values_list("hour", "kind").annotate(sum=Sum("count"), last=Max("start"))

    def _uncounted(self, now: datetime) -> list[datetime]:
        last = self.aggregate(last=Max("start"))["last"]
        first = max(last + EventCount.SLOT if last else now - EventCount.DRAWN, now - EventCount.DRAWN)
        start = first - (first - datetime.min.replace(tzinfo=first.tzinfo)) % EventCount.SLOT
        starts = []
        while start + EventCount.SLOT + EventCount.STRAGGLERS <= now:
            starts.append(start)
            start += EventCount.SLOT
        return starts

    def _count(self, start: datetime) -> None:
        end = start + EventCount.SLOT
        kinds = Event.objects.using(self.db).filter(at__gte=start, at__lt=end).order_by().values_list("kind")
        told = Revocation.objects.using(self.db).filter(
            state=Revocation.State.DONE, settled_at__gte=start, settled_at__lt=end
        )
        counts = dict(kinds.annotate(models.Count("pk")))
        # Written even if it is none: that the slot has been counted is what the row says.
        counts[EventCount.REVOKED] = told.count()
        rows = [EventCount(start=start, kind=kind, count=count) for kind, count in counts.items()]
        self.bulk_create(rows, ignore_conflicts=True)


class EventCount(models.Model):
    """How many events of a kind fell into one slot of five minutes: what charts are drawn from.

    A site with a million sessions writes more than a million events an hour; no page can count them.
    """

    SLOT: ClassVar[timedelta] = timedelta(minutes=5)
    # An event is written a little after the moment it bears.
    STRAGGLERS: ClassVar[timedelta] = timedelta(minutes=5)
    DRAWN: ClassVar[timedelta] = timedelta(hours=25)
    KEPT: ClassVar[timedelta] = timedelta(days=2)
    # A kind of its own: a revocation that Cognito was told.
    REVOKED: ClassVar[str] = "revoked"

    start = models.DateTimeField(editable=False)
    kind = models.CharField(max_length=30, editable=False)
    count = models.PositiveBigIntegerField(editable=False)

    objects = EventCountManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["start", "kind"], name="accounts_eventcount_slot")]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} UTC, {self.kind}: {self.count}"
