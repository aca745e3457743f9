from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TokenHealth(models.TextChoices):
    """What the tokens of a session are doing; one vocabulary for every page.

    The last two are of sessions that are over: Ended is known here, Revoked is known to Cognito too.
    """

    FRESH = "fresh", _("Fresh")
    REFRESH_DUE = "refresh_due", _("Refresh due")
    REFRESHING = "refreshing", _("Refreshing")
    ASLEEP = "asleep", _("Asleep")
    REFRESH_FAILING = "refresh_failing", _("Refresh failing")
    ENDED = "ended", _("Ended")
    REVOKED = "revoked", _("Revoked")

    @classmethod
    def of_live(cls) -> list[TokenHealth]:
        """Return what tokens of a live session may be doing."""
        return [health for health in cls if health not in (cls.ENDED, cls.REVOKED)]

    def condition(self, now: datetime) -> Q:
        """Return the condition under which `Session.health` says so, for the database to apply.

        Raise ValueError for what no live session is.
        """
        if self not in TokenHealth.of_live():
            raise ValueError(f"no live session is {self.value}")
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
