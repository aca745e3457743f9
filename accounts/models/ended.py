from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.cognito.tokens import TokenSet
from accounts.encryption import seal, unseal


class EndReason(models.TextChoices):
    """Why a session ended; the label finishes the sentence "This session ended: ..."."""

    SIGNED_OUT = "signed_out", _("signed out in this browser")
    ELSEWHERE = "elsewhere", _("signed out from another browser")
    EVERYWHERE = "everywhere", _("signed out everywhere")
    REPLACED = "replaced", _("replaced by a new sign-in in the same browser")
    IDLE = "idle", _("not used for too long")
    ABSOLUTE = "absolute", _("reached its longest life")
    REFRESH_REFUSED = "refresh_refused", _("Cognito refused new tokens")
    ACCESS_REFUSED = "access_refused", _("Cognito no longer accepts its tokens")
    DISABLED = "disabled", _("the account was disabled here")
    REJECTED = "rejected", _("refreshed tokens failed verification")
    UNREADABLE = "unreadable", _("its stored tokens could not be decrypted")


class Revocation(models.Model):
    """What Cognito must still be told about an ended session, and whether it has been.

    Written in the transaction that ends the session, so no crash can lose it; the tokens it needs are encrypted
    and erased once it is settled.
    """

    class Kind(models.TextChoices):
        REFRESH_TOKEN = "refresh_token", _("revoke the refresh token")
        GLOBAL = "global", _("sign out everywhere")

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="revocations", editable=False
    )
    kind = models.CharField(max_length=20, choices=Kind, editable=False)
    state = models.CharField(max_length=20, choices=State, default=State.PENDING, editable=False)
    sealed = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(default=timezone.now, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.CharField(max_length=100, blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="accounts_revocation_due"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"

    @property
    def is_pending(self) -> bool:
        return self.state == self.State.PENDING

    def put_tokens(self, token_set: TokenSet, access_expires_at: datetime | None) -> None:
        """Encrypt what delivering needs into the row, bound to it; the caller saves."""
        expires = access_expires_at.timestamp() if access_expires_at else 0
        members = [token_set.refresh_token, token_set.access_token, token_set.id_token, expires]
        self.sealed = seal(json.dumps(members).encode(), bound_to=str(self.id))

    def tokens(self) -> tuple[TokenSet, datetime]:
        """Return the token set and when its access token expires (UTC). Raise SealedDataError if it won't open."""
        refresh, access, id_token, expires = json.loads(unseal(self.sealed, bound_to=str(self.id)))
        return (
            TokenSet(access_token=access, id_token=id_token, refresh_token=refresh),
            datetime.fromtimestamp(expires, UTC),
        )


class EndedSessionQuerySet(models.QuerySet["EndedSession"]):
    def recent(self, now: datetime) -> EndedSessionQuerySet:
        """Keep those that are still shown."""
        return self.filter(ended_at__gt=now - EndedSession.KEPT)


class EndedSession(models.Model):
    """The trace of a session that is no more: what the person is told, and whether Cognito knows."""

    KEPT = timedelta(days=30)

    public_id = models.UUIDField(primary_key=True, editable=False)
    key_digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ended_sessions", editable=False
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

    objects = EndedSessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "-ended_at"], name="accounts_ended_user")]

    def __str__(self) -> str:
        return f"{self.public_id}: {self.get_reason_display()}"
