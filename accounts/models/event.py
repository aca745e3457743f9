from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.log import current_request_id

if TYPE_CHECKING:
    from accounts.models.ended import EndedSession
    from accounts.models.session import Session


class EventManager(models.Manager["Event"]):
    def record(self, kind: Event.Kind, row: Session | EndedSession | None, *, now: datetime, **columns: Any) -> Event:
        """Append an event about a session, live or ended, or about none; the request's id goes with it."""
        about = {"session_id": row.public_id, "user_id": row.user_id, "ip_address": row.ip_address} if row else {}
        event: Event = self.create(kind=kind, at=now, request_id=current_request_id(), **about, **columns)
        return event


class Event(models.Model):
    """One line of the audit trail; appended, never changed, pruned by age. It holds no secret of any kind."""

    KEPT = timedelta(days=400)

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", _("signed in")
        REFRESHED = "refreshed", _("tokens refreshed")
        REFRESH_FAILED = "refresh_failed", _("refresh failed")
        REFRESH_REUSED = "refresh_reused", _("refresh token reused")
        ENDED = "ended", _("session ended")
        NOT_RECOGNISED = "not_recognised", _("not recognised by its owner")
        FLAG_SETTLED = "flag_settled", _("flagged session looked into")
        SIGNED_OUT_EVERYWHERE = "signed_out_everywhere", _("signed out everywhere by an operator")
        REVOKED_MANY = "revoked_many", _("many sessions ended at once")
        REVOCATION_RETRIED = "revocation_retried", _("revocation tried at once")
        REVOCATION_GIVEN_UP = "revocation_given_up", _("revocation given up")

    at = models.DateTimeField(default=timezone.now, editable=False)
    kind = models.CharField(max_length=30, choices=Kind, editable=False)
    session_id = models.UUIDField(null=True, editable=False)
    # Both are found by the indexes below.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="events",
        editable=False,
        db_index=False,
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="actions",
        editable=False,
        db_index=False,
    )
    reason = models.CharField(max_length=30, blank=True, editable=False)
    detail = models.CharField(max_length=200, blank=True, editable=False)
    ip_address = models.GenericIPAddressField(null=True, editable=False)
    request_id = models.CharField(max_length=64, blank=True, editable=False)

    objects = EventManager()

    class Meta:
        indexes = [
            models.Index(fields=["session_id", "at"], name="accounts_event_session"),
            models.Index(fields=["user", "at"], name="accounts_event_user"),
            models.Index(fields=["actor", "at"], condition=Q(actor__isnull=False), name="accounts_event_actor"),
            models.Index(fields=["at"], name="accounts_event_at"),
            models.Index(fields=["kind", "at"], name="accounts_event_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} UTC: {self.get_kind_display()}"
