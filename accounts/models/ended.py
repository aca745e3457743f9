from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.health import TokenHealth
from accounts.models.revocation import Revocation


class EndReason(models.TextChoices):
    """Why a session ended; the label finishes the sentence "This session ended: ..."."""

    SIGNED_OUT = "signed_out", _("signed out in this browser")
    ELSEWHERE = "elsewhere", _("signed out from another browser")
    EVERYWHERE = "everywhere", _("signed out everywhere")
    NOT_RECOGNISED = "not_recognised", _("not recognised by its owner")
    REPLACED = "replaced", _("replaced by a new sign-in in the same browser")
    IDLE = "idle", _("not used for too long")
    ABSOLUTE = "absolute", _("reached its longest life")
    REFRESH_REFUSED = "refresh_refused", _("Cognito refused new tokens")
    ACCESS_REFUSED = "access_refused", _("Cognito no longer accepts its tokens")
    ACCOUNT_GONE = "account_gone", _("the account was deleted or must be confirmed again")
    DISABLED = "disabled", _("the account was disabled here")
    REJECTED = "rejected", _("refreshed tokens failed verification")
    UNREADABLE = "unreadable", _("its stored tokens could not be decrypted")
    OPERATOR = "operator", _("ended by an operator")
    TOO_MANY = "too_many", _("the oldest of too many sessions")


class EndedSessionQuerySet(models.QuerySet["EndedSession"]):
    def recent(self, now: datetime) -> EndedSessionQuerySet:
        """Keep those that are still shown."""
        return self.filter(ended_at__gt=now - EndedSession.KEPT)

    def flagged(self) -> EndedSessionQuerySet:
        """Keep those that their owners did not recognise and no operator has looked into yet."""
        return self.filter(flagged_at__isnull=False, flag_settled_at=None)


class EndedSession(models.Model):
    """The trace of a session that is no more: what the person is told, and whether Cognito knows."""

    KEPT = timedelta(days=30)

    public_id = models.UUIDField(primary_key=True, editable=False)
    key_digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="ended_sessions",
        editable=False,
        db_index=False,  # found by accounts_ended_user
    )
    reason = models.CharField(max_length=20, choices=EndReason, editable=False)
    started_at = models.DateTimeField(editable=False)
    last_seen_at = models.DateTimeField(editable=False)
    ended_at = models.DateTimeField(default=timezone.now, editable=False)
    ip_address = models.GenericIPAddressField(null=True, editable=False)
    browser = models.CharField(max_length=80, blank=True, editable=False)
    system = models.CharField(max_length=80, blank=True, editable=False)
    access_expires_at = models.DateTimeField(null=True, editable=False)
    revocation = models.ForeignKey(
        Revocation, null=True, on_delete=models.SET_NULL, related_name="ended_sessions", editable=False
    )
    # Its owner said "I don't recognise this", and then an operator looked into it.
    flagged_at = models.DateTimeField(null=True, editable=False)
    flag_settled_at = models.DateTimeField(null=True, editable=False)

    objects = EndedSessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "-ended_at"], name="accounts_ended_user"),
            models.Index(fields=["ended_at"], name="accounts_ended_at"),
            models.Index(
                fields=["flagged_at"],
                condition=Q(flagged_at__isnull=False, flag_settled_at=None),
                name="accounts_ended_flagged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id}: {self.get_reason_display()}"

    @property
    def is_flagged(self) -> bool:
        return self.flagged_at is not None and self.flag_settled_at is None

    def health(self, now: datetime) -> TokenHealth:
        """Say whether Cognito knows that the session is over: the last two words of one vocabulary."""
        is_told = self.revocation is not None and self.revocation.state == Revocation.State.DONE
        return TokenHealth.REVOKED if is_told else TokenHealth.ENDED
