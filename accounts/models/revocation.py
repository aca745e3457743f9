from __future__ import annotations

import uuid
from datetime import datetime, timedelta
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
    from accounts.models.user import User


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
    BACK_OFF_MOST: ClassVar[timedelta] = timedelta(minutes=10)
    KEPT: ClassVar[timedelta] = timedelta(days=30)
    # The longest that any app client may let a refresh token live.
    # https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
    LONGEST_REFRESH_TOKEN: ClassVar[timedelta] = timedelta(days=3650)
    # Longer than a hiccup of Cognito or a restart of the worker: somebody should look.
    LATE_AFTER: ClassVar[timedelta] = timedelta(minutes=10)

    class Kind(models.TextChoices):
        REFRESH_TOKEN = "refresh_token", _("revoke the refresh token")
        GLOBAL = "global", _("sign out everywhere")
        # By AWS credentials: it needs no token of the person's, and no session.
        ADMIN_GLOBAL = "admin_global", _("sign out everywhere, as an administrator")

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")
        EXPIRED = "expired", _("the refresh token has expired by itself")
        GIVEN_UP = "given_up", _("given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="revocations", editable=False
    )
    session_id = models.UUIDField(null=True, editable=False)
    kind = models.CharField(max_length=20, choices=Kind, editable=False)
    state = models.CharField(max_length=20, choices=State, default=State.PENDING, editable=False)
    sealed = models.TextField(blank=True, editable=False)
    access_expires_at = models.DateTimeField(null=True, editable=False)
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
            models.Index(fields=["created_at", "id"], name="accounts_revocation_created"),
            models.Index(fields=["settled_at"], name="accounts_revocation_settled"),
            models.Index(fields=["state", "settled_at"], name="accounts_revocation_fate"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"

    @classmethod
    def of(cls, row: Session, kind: Kind, now: datetime) -> Revocation:
        """Return an unsaved revocation of a session's tokens, claimed by whoever is about to save and deliver it.

        The ciphertext moves as it is, so a host that lacks its key can end a session all the same.
        """
        life = timedelta(seconds=settings.COGNITO_REFRESH_TOKEN_SECONDS)
        return cls(
            user=row.person,
            session_id=row.public_id,
            kind=kind,
            sealed=row.token_set_sealed,
            access_expires_at=row.access_expires_at,
            created_at=now,
            due_at=now,
            claimed_until=now + cls.CLAIM,
            expires_at=row.started_at + life,
        )

    @classmethod
    def by_admin(cls, user: User, now: datetime) -> Revocation:
        """Return an unsaved global sign-out of a person that AWS credentials authorise, claimed as by `of`."""
        return cls(
            user=user,
            kind=cls.Kind.ADMIN_GLOBAL,
            created_at=now,
            due_at=now,
            claimed_until=now + cls.CLAIM,
            expires_at=now + cls.LONGEST_REFRESH_TOKEN,
        )

    @property
    def is_global(self) -> bool:
        """Whether it kills every token of the person, whichever session it came from."""
        return self.kind in (self.Kind.GLOBAL, self.Kind.ADMIN_GLOBAL)

    @property
    def is_pending(self) -> bool:
        return self.state == self.State.PENDING

    @property
    def has_failed(self) -> bool:
        """Whether Cognito was asked and could not be told, so far."""
        return self.is_pending and self.attempts > 0

    def put_tokens(self, token_set: TokenSet, access_expires_at: datetime | None) -> None:
        """Encrypt newer tokens into the row; the caller saves."""
        self.sealed = seal(token_set.to_json(), bound_to=str(self.session_id))
        self.access_expires_at = access_expires_at

    def token_set(self) -> TokenSet:
        """Return the decrypted token set. Raise SealedDataError or UnknownKeyError if it cannot be read."""
        return TokenSet.from_json(unseal(self.sealed, bound_to=str(self.session_id)))

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
