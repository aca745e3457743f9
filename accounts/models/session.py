from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.back_off import back_off
from accounts.cognito.tokens import TokenSet, VerifiedTokens
from accounts.encryption import seal, unseal
from accounts.models.health import TokenHealth
from accounts.models.user import User

__all__ = ["Session", "SessionQuerySet", "TokenHealth", "idle_end"]


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, now: datetime) -> SessionQuerySet:
        """Keep the sign-ins that have reached no time limit yet."""
        return self.filter(user__isnull=False, expire_date__gt=now)

    def in_health(self, health: TokenHealth, now: datetime) -> SessionQuerySet:
        """Keep those whose tokens are doing this."""
        return self.filter(health.condition(now))

    def count_by_health(self, now: datetime, *, most: int) -> dict[str, int]:
        """Count what tokens of live sessions are doing, among the rows used last: never the whole table.

        Those that are over count among the rows: a million of them may wait to be tidied up.
        """
        live = Q(user__isnull=False, expire_date__gt=now)
        used_last = self.order_by("-last_seen_at")[:most]
        return used_last.aggregate(
            **{h.value: Count("pk", filter=live & h.condition(now)) for h in TokenHealth.of_live()}
        )

    def end_at_once(self, reason: str, now: datetime) -> int:
        """End all of these for every host by one UPDATE and return how many; each is tidied up afterwards."""
        return self.update(expire_date=now, end_reason=reason)

    def lapsed(self, now: datetime) -> SessionQuerySet:
        """Keep the rows whose time is over, of people and of nobody."""
        return self.filter(expire_date__lte=now)


class SessionManager(BaseSessionManager.from_queryset(SessionQuerySet)):  # type: ignore[misc]
    pass


class Session(AbstractBaseSession):
    """One sign-in of one browser; the row is the session, there is no other copy of it.

    The primary key is a digest of the key in the cookie, which is stored nowhere. `session.save()` writes Django's
    own columns only; token columns change by conditional UPDATE only, so a stale copy saved late can neither
    restore an old token set nor revive an ended session. `public_id` is the only id that is ever shown.
    """

    # Used up to 75 % of an access token's life; a spread of 5 % keeps sessions opened together from refreshing
    # together. https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-caching-tokens.html
    REFRESH_AT: ClassVar[float] = 0.75
    REFRESH_SPREAD: ClassVar[float] = 0.05
    # Longer than a refresh may take (connect, read, and reading the signing keys), shorter than the 30 seconds for
    # which a rotated refresh token still works: who takes over from a killed worker comes in time.
    REFRESH_LEASE: ClassVar[timedelta] = timedelta(seconds=20)
    BACK_OFF_FIRST: ClassVar[timedelta] = timedelta(seconds=2)
    BACK_OFF_MOST: ClassVar[timedelta] = timedelta(seconds=60)
    SEEN_EVERY: ClassVar[timedelta] = timedelta(seconds=60)

    session_key = None  # type: ignore[assignment]
    key_digest = models.CharField(primary_key=True, max_length=64, editable=False)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # Found by accounts_session_user: each index more is written with every request that moves `last_seen_at`.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="sessions",
        editable=False,
        db_index=False,
    )
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    ip_address = models.GenericIPAddressField(null=True, editable=False)
    browser = models.CharField(max_length=80, blank=True, editable=False)
    system = models.CharField(max_length=80, blank=True, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField(null=True, editable=False)
    # Set together with expire_date when many sessions are ended at once: each is over, its tidying up follows.
    end_reason = models.CharField(max_length=20, blank=True, editable=False)

    token_set_sealed = models.TextField(blank=True, editable=False)
    token_version = models.PositiveIntegerField(default=0, editable=False)
    origin_jti = models.CharField(max_length=64, blank=True, editable=False)
    scopes = models.TextField(blank=True, editable=False)
    auth_time = models.DateTimeField(null=True, editable=False)
    access_issued_at = models.DateTimeField(null=True, editable=False)
    access_expires_at = models.DateTimeField(null=True, editable=False)

    probe_due_at = models.DateTimeField(null=True, editable=False)
    probed_at = models.DateTimeField(null=True, editable=False)

    refresh_due_at = models.DateTimeField(null=True, editable=False)
    refresh_claim = models.UUIDField(null=True, editable=False)
    refresh_claimed_until = models.DateTimeField(null=True, editable=False)
    refreshed_at = models.DateTimeField(null=True, editable=False)
    refresh_failures = models.PositiveIntegerField(default=0, editable=False)
    refresh_error = models.CharField(max_length=100, blank=True, editable=False)

    objects = SessionManager()  # type: ignore[misc]

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["user", "-last_seen_at"], name="accounts_session_user"),
            # What the console sorts, pages and searches by.
            models.Index(fields=["last_seen_at", "public_id"], name="accounts_session_seen"),
            models.Index(fields=["started_at", "public_id"], name="accounts_session_started"),
            models.Index(fields=["ip_address", "last_seen_at", "public_id"], name="accounts_session_ip"),
            models.Index(fields=["last_seen_at"], condition=Q(refresh_failures__gt=0), name="accounts_session_failing"),
        ]
        default_permissions = ["view"]
        permissions = [("end_session", _("Can end other people's sessions"))]

    def __str__(self) -> str:
        return str(self.public_id)

    @classmethod
    def get_session_store_class(cls) -> type[Any]:
        from accounts.sessions import SessionStore

        return SessionStore

    # --- what the row says

    @property
    def person(self) -> User:
        """Return whose session it is. Raise ValueError for a session of nobody."""
        if self.user is None:
            raise ValueError("nobody is signed in with this session")
        return self.user

    @property
    def granted_scopes(self) -> list[str]:
        return self.scopes.split()

    def token_set(self) -> TokenSet:
        """Return the decrypted token set. Raise SealedDataError or UnknownKeyError if it cannot be read."""
        return TokenSet.from_json(unseal(self.token_set_sealed, bound_to=str(self.public_id)))

    def has_live_access_token(self, now: datetime) -> bool:
        return self.access_expires_at is not None and self.access_expires_at > now

    def refresh_is_due(self, now: datetime) -> bool:
        return self.refresh_due_at is not None and self.refresh_due_at <= now

    def has_recent_sign_in(self, now: datetime) -> bool:
        """Tell whether the person last proved who they are within COGNITO_REAUTHENTICATE_SECONDS; 0 asks for no proof.

        No `auth_time` is no proof.
        """
        limit = timedelta(seconds=settings.COGNITO_REAUTHENTICATE_SECONDS)
        return not limit or (self.auth_time is not None and now - self.auth_time <= limit)

    def has_recent_groups(self, now: datetime) -> bool:
        """Tell whether the person's groups come from tokens issued less than a probe ago, by our own clock."""
        return now - (self.refreshed_at or self.started_at) < timedelta(seconds=settings.COGNITO_PROBE_SECONDS)

    def health(self, now: datetime) -> TokenHealth:
        if self.refresh_claimed_until and self.refresh_claimed_until > now:
            return TokenHealth.REFRESHING
        if self.refresh_failures:
            return TokenHealth.REFRESH_FAILING
        if not self.has_live_access_token(now):
            return TokenHealth.ASLEEP
        return TokenHealth.REFRESH_DUE if self.refresh_is_due(now) else TokenHealth.FRESH

    # --- how it changes: each method is one conditional UPDATE

    def receive(self, tokens: VerifiedTokens, now: datetime, **columns: object) -> None:
        """Write the first token set of a sign-in, and `columns` with it.

        `auth_time` is written here and nowhere else: a refresh proves nothing about the person, whatever its tokens
        say (OpenID Connect Core section 12.2).
        """
        columns = {**columns, "auth_time": tokens.id_claims.auth_time, "last_seen_at": now}
        self._update(Q(), **self._token_columns(tokens, now), **columns)

    def claim_refresh(self, now: datetime) -> uuid.UUID | None:
        """Claim the refresh that is due, for `REFRESH_LEASE`; None if another process has it or has done it."""
        claim = uuid.uuid4()
        free = Q(refresh_claimed_until=None) | Q(refresh_claimed_until__lte=now)
        due = Q(refresh_due_at__lte=now)
        claimed = self._update(free & due, refresh_claim=claim, refresh_claimed_until=now + self.REFRESH_LEASE)
        return claim if claimed else None

    def finish_refresh(self, tokens: VerifiedTokens, now: datetime) -> bool:
        """Store refreshed tokens and settle the claim; False if the session ended or has newer tokens already.

        The claim itself does not matter: who overstayed it may hold the only refresh token that still lives.
        """
        columns = {**self._token_columns(tokens, now), "refreshed_at": now, "refresh_failures": 0, "refresh_error": ""}
        return self._update(Q(token_version=self.token_version), **columns, **_NO_CLAIM)

    def postpone_refresh(self, claim: uuid.UUID, error: str, now: datetime, keep: TokenSet | None = None) -> bool:
        """Give up the claim after a failure that may pass; the next try comes after a back-off with jitter.

        `keep` replaces the token set when Cognito rotated the refresh token but the rest could not be verified.
        """
        wait = back_off(self.refresh_failures, first=self.BACK_OFF_FIRST, most=self.BACK_OFF_MOST)
        condition = Q(refresh_claim=claim)
        columns: dict[str, object] = {
            "refresh_due_at": now + wait,
            "refresh_failures": self.refresh_failures + 1,
            "refresh_error": error[:100],
        }
        if keep is not None:
            condition = Q(token_version=self.token_version)
            columns |= {"token_set_sealed": self._sealed(keep), "token_version": self.token_version + 1}
        return self._update(condition, **columns, **_NO_CLAIM)

    def claim_probe(self, now: datetime) -> bool:
        """Claim the probe that is due, by setting the time of the next one; False if another request has it."""
        next_one = now + timedelta(seconds=settings.COGNITO_PROBE_SECONDS)
        return self._update(Q(probe_due_at__lte=now), probe_due_at=next_one, probed_at=now)

    def put_off_probe(self, now: datetime) -> None:
        """Give up a claimed probe: it is due again, for whichever request comes next."""
        self._update(Q(), probe_due_at=now)

    def doubt_tokens(self, now: datetime) -> None:
        """Make a refresh due now, unless refreshes are failing and back off."""
        self._update(Q(token_version=self.token_version, refresh_failures=0), refresh_due_at=now)

    def touch(self, now: datetime) -> None:
        """Note that the person is here, at most once a minute, and move the idle limit along."""
        if now - self.last_seen_at < self.SEEN_EVERY:
            return
        self._update(
            Q(last_seen_at__lte=now - self.SEEN_EVERY, end_reason=""),
            last_seen_at=now,
            expire_date=idle_end(now, self.ends_at),
        )

    def _update(self, condition: Q, **columns: object) -> bool:
        """Write columns if `condition` holds and the row is still there, and then into this copy too."""
        if not type(self).objects.filter(condition, public_id=self.public_id).update(**columns):
            return False
        for name, value in columns.items():
            setattr(self, name, value)
        return True

    def _token_columns(self, tokens: VerifiedTokens, now: datetime) -> dict[str, Any]:
        access = tokens.access_claims
        lifetime = access.expires_at - access.issued_at
        share = self.REFRESH_AT - random.uniform(0, self.REFRESH_SPREAD)  # noqa: S311  # nosec B311  # spreads load
        return {
            "token_set_sealed": self._sealed(tokens.token_set),
            "token_version": self.token_version + 1,
            "origin_jti": access.origin_jti[:64],
            "scopes": " ".join(access.scopes),
            "access_issued_at": access.issued_at,
            "access_expires_at": access.expires_at,
            "refresh_due_at": access.issued_at + lifetime * share,
            # Fresh tokens prove as much as a probe. And for a moment after a global sign-out Cognito has been seen to
            # refuse tokens it had only just issued: the first probe must not come at once.
            "probe_due_at": now + timedelta(seconds=settings.COGNITO_PROBE_SECONDS),
        }

    def _sealed(self, token_set: TokenSet) -> str:
        return seal(token_set.to_json(), bound_to=str(self.public_id))


_NO_CLAIM: Mapping[str, None] = {"refresh_claim": None, "refresh_claimed_until": None}


def idle_end(now: datetime, ends_at: datetime | None) -> datetime:
    """Return when a session last seen now is over: after the idle limit, or at its absolute end if that is sooner."""
    idle = now + timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    return min(idle, ends_at) if ends_at else idle
