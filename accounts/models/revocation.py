from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.back_off import back_off
from accounts.cognito.tokens import TokenSet
from accounts.encryption import seal, unseal

if TYPE_CHECKING:
    from accounts.models.session import Session


class RevocationQuerySet(models.QuerySet["Revocation"]):
    def pending(self) -> RevocationQuerySet:
        """Keep those that Cognito has still to be told of."""
        return self.filter(state=Revocation.State.PENDING)

    def due(self, now: datetime) -> RevocationQuerySet:
        """Keep the pending ones that should be tried now and that nobody is trying; oldest first."""
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        return self.pending().filter(free, due_at__lte=now).order_by("due_at")

    def late(self, now: datetime) -> RevocationQuerySet:
        """Keep the pending ones of which Cognito should long have been told."""
        return self.pending().filter(created_at__lte=now - Revocation.LATE_AFTER)

    def settle(self, state: Revocation.State, now: datetime, error: str = "") -> int:
        """Close pending revocations and erase their tokens; return how many that were."""
        return self.pending().update(state=state, settled_at=now, sealed="", last_error=error, claimed_until=None)


class Revocation(models.Model):
    """What Cognito must still be told about an ended session, and whether it has been.

    Written in the transaction that ends the session, so no crash can lose it: this row is the truth, and whoever
    claims it delivers it. The tokens it needs are encrypted, and erased once it is settled.
    """

    # Longer than a delivery may take: two calls, each with connect and read time-out.
    CLAIM: ClassVar[timedelta] = timedelta(seconds=30)
    BACK_OFF_FIRST: ClassVar[timedelta] = timedelta(seconds=5)
    BACK_OFF_MOST: ClassVar[timedelta] = timedelta(hours=1)
    KEPT: ClassVar[timedelta] = timedelta(days=30)
    # Longer than a hiccup of Cognito or a restart of the worker: somebody should look.
    LATE_AFTER: ClassVar[timedelta] = timedelta(minutes=10)

    class Kind(models.TextChoices):
        REFRESH_TOKEN = "refresh_token", _("revoke the refresh token")
        GLOBAL = "global", _("sign out everywhere")

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")
        EXPIRED = "expired", _("the refresh token has expired by itself")
        GIVEN_UP = "given_up", _("given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="revocations", editable=False
    )
    kind = models.CharField(max_length=20, choices=Kind, editable=False)
    state = models.CharField(max_length=20, choices=State, default=State.PENDING, editable=False)
    sealed = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # When the refresh token is dead whether or not Cognito was told.
    expires_at = models.DateTimeField(editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(default=timezone.now, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.CharField(max_length=100, blank=True, editable=False)

    objects = RevocationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="accounts_revocation_due"),
            models.Index(fields=["state", "created_at"], name="accounts_revocation_state"),
            models.Index(fields=["settled_at"], name="accounts_revocation_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"

    @classmethod
    def of(cls, row: Session, token_set: TokenSet, kind: Kind, now: datetime) -> Revocation:
        """Return an unsaved revocation of `token_set`, claimed by whoever is about to save and deliver it."""
        life = timedelta(seconds=settings.COGNITO_REFRESH_TOKEN_SECONDS)
        revocation = cls(
            user=row.person,
            kind=kind,
            created_at=now,
            due_at=now,
            claimed_until=now + cls.CLAIM,
            expires_at=row.started_at + life,
        )
        revocation.put_tokens(token_set, row.access_expires_at)
        return revocation

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

    def claim(self, now: datetime) -> bool:
        """Claim the delivery; False if somebody else has it or has finished it."""
        mine = type(self).objects.due(now).filter(pk=self.pk)
        if not mine.order_by().update(claimed_until=now + self.CLAIM):
            return False
        self.refresh_from_db()
        return True

    def postpone(self, error: str, now: datetime) -> None:
        """Give up the claim after a failure that may pass; the next try comes after a back-off with jitter."""
        self.due_at = now + back_off(self.attempts, first=self.BACK_OFF_FIRST, most=self.BACK_OFF_MOST)
        self.attempts += 1
        self.last_error = error[:100]
        self.claimed_until = None
        self.save(update_fields=["attempts", "last_error", "due_at", "claimed_until"])
