from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models, transaction
from django.utils import timezone

from accounts.cognito import oidc
from accounts.cognito.errors import StateMismatchError
from accounts.cognito.redacted import Redacted
from accounts.encryption import SealedDataError, UnknownKeyError, seal, unseal


def digest(secret: str) -> str:
    """Return what may be stored of a random secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True, repr=False)
class PendingSignIn(Redacted):
    """What an authorization response is checked against, and where the person wanted to go."""

    nonce: str
    code_verifier: str
    next_url: str

    def to_json(self) -> bytes:
        """Serialize for encryption; `from_json` reads it back."""
        return json.dumps([self.nonce, self.code_verifier, self.next_url]).encode()

    @classmethod
    def from_json(cls, data: bytes) -> PendingSignIn:
        """Read what `to_json` wrote. Raise ValueError if it is anything else: another version's, say."""
        members = json.loads(data)
        if not (isinstance(members, list) and len(members) == 3 and all(isinstance(each, str) for each in members)):
            raise ValueError("three strings are wanted")
        nonce, code_verifier, next_url = members
        return cls(nonce=nonce, code_verifier=code_verifier, next_url=next_url)


class AuthorizationRequestManager(models.Manager["AuthorizationRequest"]):
    def remember(self, request: oidc.AuthorizationRequest, *, browser: str, next_url: str, now: datetime) -> None:
        """Keep what `request` must be answered with, and only the newest few of this browser, and so many in all.

        `browser` is the random value of the cookie that binds the request to its browser.
        """
        row = self.model(
            state_digest=digest(request.state),
            browser_digest=digest(browser),
            expires_at=now + self.model.LIFETIME,
        )
        row.sealed = row.closed(
            PendingSignIn(nonce=request.nonce, code_verifier=request.code_verifier, next_url=next_url)
        )
        with transaction.atomic():
            row.save(force_insert=True)
            pending = self.filter(browser_digest=row.browser_digest, answered_at=None)
            kept = pending.order_by("-expires_at").values_list("pk", flat=True)[: self.model.MOST_PER_BROWSER]
            pending.exclude(pk__in=list(kept)).delete()
            self._make_room(row.state_digest[: self.model.SHELF_DIGITS])

    def _make_room(self, shelf: str) -> None:
        """Keep only the newest rows of those whose digest begins with `shelf`.

        Anybody may begin sign-ins, from as many addresses as they have. Digests are random, so shelves fill evenly:
        a bound on each bounds the table, and costs a look at one of them, however large the table is.
        """
        # "g" stands behind every hexadecimal digit.
        rows = self.filter(pk__gte=shelf, pk__lt=f"{shelf}g").order_by("-expires_at")
        surplus = list(rows.values_list("pk", flat=True)[self.model.MOST_PER_SHELF :])
        if surplus:
            self.filter(pk__in=surplus).delete()

    def take(self, state: str, *, browser: str, now: datetime) -> PendingSignIn:
        """Return what the response to the request of this `state` and browser is checked against, once.

        Raise StateMismatchError, whose `error` is `unknown_state` (expired, used or made up) or `other_browser`.
        """
        row = self.filter(pk=digest(state), expires_at__gt=now, answered_at=None).first()
        if row is None:
            raise StateMismatchError("unknown_state")
        if not secrets.compare_digest(row.browser_digest, digest(browser)):
            raise StateMismatchError("other_browser")
        pending = row.open()
        # Of two responses that race, the one that marks the row goes on. The secrets are erased with it.
        used_up = row.closed(PendingSignIn(nonce="", code_verifier="", next_url=pending.next_url))
        if not self.filter(pk=row.pk, answered_at=None).update(answered_at=now, sealed=used_up):
            raise StateMismatchError("unknown_state")
        return pending

    def next_url(self, state: str) -> str:
        """Return where a sign-in was to lead, however stale and whoever began it; empty if that is not known any more.

        It is a page of this site, as good in anybody's hands as in a link.
        """
        row = self.filter(pk=digest(state)).first()
        try:
            return row.open().next_url if row else ""
        except StateMismatchError:
            return ""


class AuthorizationRequest(models.Model):
    """One pending authorization request: sent to the hosted UI, not answered yet.

    It is found by the digest of its `state` and bound to one browser by the digest of a cookie; `nonce`,
    `code_verifier` and the place to go afterwards are encrypted.
    """

    MOST_PER_BROWSER: ClassVar[int] = 5
    # 256 shelves of 200 rows, about 50 MB: 57 sign-ins a second for 15 minutes find room. In a flood of a thousand a
    # second, a person still has most of a minute on the hosted UI until theirs is forgotten and starts over by itself.
    SHELF_DIGITS: ClassVar[int] = 2
    MOST_PER_SHELF: ClassVar[int] = 200
    # Cognito gives a person 5 minutes on its page and a code 5 more.
    LIFETIME: ClassVar[timedelta] = timedelta(minutes=15)

    state_digest = models.CharField(primary_key=True, max_length=64, editable=False)
    browser_digest = models.CharField(max_length=64, editable=False)
    sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = AuthorizationRequestManager()

    class Meta:
        indexes = [models.Index(fields=["browser_digest", "expires_at"], name="accounts_authreq_browser")]

    def __str__(self) -> str:
        return f"authorization request of {self.created_at:%Y-%m-%d %H:%M:%S} UTC"

    def closed(self, pending: PendingSignIn) -> str:
        """Return `pending` encrypted and bound to this row."""
        return seal(pending.to_json(), bound_to=self.state_digest)

    def open(self) -> PendingSignIn:
        """Return what `closed` encrypted. Raise StateMismatchError if the key it was made with is gone, or its form."""
        try:
            return PendingSignIn.from_json(unseal(self.sealed, bound_to=self.state_digest))
        except (SealedDataError, UnknownKeyError, ValueError, RecursionError) as error:
            raise StateMismatchError("unknown_state") from error
