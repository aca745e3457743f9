"""Whether the background work is alive, by what it leaves in rows: whatever engine runs the tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import tasks
from accounts.models import Chore, Revocation, Session

# As long as the alert for it waits: a restart is quicker.
LATE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Background:
    """What the sweep started last, and what waits for a worker."""

    now: datetime
    prune_due: datetime | None
    deliver_until: datetime | None
    oldest_due: Revocation | None
    oldest_lapsed: datetime | None

    @property
    def pruned_at(self) -> datetime | None:
        """When pruning was last begun or done; the claim says no more, and one lasts as long as the pause."""
        return self.prune_due and self.prune_due - tasks.PRUNE_EVERY

    @property
    def sweep_is_late(self) -> bool:
        return self.prune_due is not None and self.prune_due < self.now - LATE_AFTER

    @property
    def is_delivering(self) -> bool:
        return self.deliver_until is not None and self.deliver_until > self.now

    @property
    def waits_since(self) -> datetime | None:
        """Since when the oldest work waits that a worker should have taken; None if it keeps up."""
        due = self.oldest_due.due_at if self.oldest_due else None
        oldest = min((at for at in (due, self.oldest_lapsed) if at), default=self.now)
        return oldest if oldest < self.now - LATE_AFTER else None


def background(now: datetime) -> Background:
    """Read how the background work of all hosts is."""
    claims = dict(Chore.objects.values_list("name", "claimed_until"))
    lapsed = Session.objects.lapsed(now).order_by("expire_date").values_list("expire_date", flat=True)
    return Background(
        now=now,
        prune_due=claims.get(tasks.PRUNE),
        deliver_until=claims.get(tasks.DELIVER),
        oldest_due=Revocation.objects.due(now).defer("sealed").first(),
        oldest_lapsed=lapsed.first(),
    )
