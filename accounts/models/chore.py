from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone


class ChoreManager(models.Manager["Chore"]):
    def claim(self, name: str, now: datetime, until: datetime) -> bool:
        """Claim a chore until a moment (UTC), for all hosts together; False if somebody has it."""
        self.get_or_create(name=name, defaults={"claimed_until": now})
        return bool(self.filter(name=name, claimed_until__lte=now).update(claimed_until=until))

    def release(self, name: str, now: datetime, pause: timedelta = timedelta(0)) -> None:
        """Let the chore be claimed again after `pause`."""
        self.filter(name=name).update(claimed_until=now + pause)


class Chore(models.Model):
    """A background job that one worker at a time should do; a dead worker's claim runs out by itself."""

    name = models.CharField(primary_key=True, max_length=40, editable=False)
    claimed_until = models.DateTimeField(default=timezone.now, editable=False)

    objects = ChoreManager()

    def __str__(self) -> str:
        return self.name
