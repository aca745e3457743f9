from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TokenHealth(models.TextChoices):
    """What the tokens of a live session are doing; one vocabulary for every page."""

    FRESH = "fresh", _("Fresh")
    REFRESH_DUE = "refresh_due", _("Refresh due")
    REFRESHING = "refreshing", _("Refreshing")
    ASLEEP = "asleep", _("Asleep")
    REFRESH_FAILING = "refresh_failing", _("Refresh failing")

    def condition(self, now: datetime) -> Q:
        """Return the condition under which `Session.health` says so, for the database to apply."""
        if self == TokenHealth.REFRESHING:
            return Q(refresh_claimed_until__gt=now)
        unclaimed = Q(refresh_claimed_until=None) | Q(refresh_claimed_until__lte=now)
        if self == TokenHealth.REFRESH_FAILING:
            return unclaimed & Q(refresh_failures__gt=0)
        healthy = unclaimed & Q(refresh_failures=0)
        if self == TokenHealth.ASLEEP:
            return healthy & (Q(access_expires_at=None) | Q(access_expires_at__lte=now))
        awake = healthy & Q(access_expires_at__gt=now)
        if self == TokenHealth.REFRESH_DUE:
            return awake & Q(refresh_due_at__lte=now)
        return awake & (Q(refresh_due_at=None) | Q(refresh_due_at__gt=now))
