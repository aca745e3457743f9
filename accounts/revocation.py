"""Telling Cognito what has ended here."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.cognito.errors import CognitoError, ProviderUnavailableError, RefusedError
from accounts.cognito.tokens import TokenSet
from accounts.conf import brisk_user_pool
from accounts.encryption import SealedDataError
from accounts.models import Revocation, Session

logger = logging.getLogger(__name__)

BACK_OFF_FIRST = timedelta(seconds=5)
BACK_OFF_MOST = timedelta(hours=1)
# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
SHORTEST_ACCESS_TOKEN_LIFE = timedelta(minutes=5)


def enqueue(row: Session, token_set: TokenSet, kind: Revocation.Kind, now: datetime) -> Revocation:
    """Write down what Cognito must be told about `row`; call it in the transaction that ends the session."""
    revocation = Revocation(user=row.person, kind=kind, created_at=now, due_at=now)
    revocation.put_tokens(token_set, row.access_expires_at)
    revocation.save(force_insert=True)
    return revocation


def deliver_while_it_works(revocations: Iterable[Revocation], now: datetime) -> None:
    """Deliver one after the other until one fails; the rest stays pending, so an outage costs one time-out."""
    for revocation in revocations:
        if not deliver(revocation, now):
            return


def deliver(revocation: Revocation, now: datetime) -> bool:
    """Tell Cognito, and say whether this revocation is settled now.

    A failure is written into the row with the time of the next try; nothing is raised, nothing is lost.
    """
    try:
        _tell(revocation, now)
    except (CognitoError, SealedDataError) as error:
        _postpone(revocation, error, now)
        return False
    _settle(Revocation.objects.filter(pk=revocation.pk), now)
    logger.info("Cognito was told: %s, revocation %s", revocation.get_kind_display(), revocation.pk)
    return True


def _tell(revocation: Revocation, now: datetime) -> None:
    if not Revocation.objects.filter(pk=revocation.pk, state=Revocation.State.PENDING).exists():
        return  # a global sign-out has settled it meanwhile
    if revocation.kind == Revocation.Kind.GLOBAL:
        _sign_out_globally(revocation, now)
    else:
        brisk_user_pool().revoke(revocation.tokens()[0].refresh_token)


def _sign_out_globally(revocation: Revocation, now: datetime) -> None:
    """Call GlobalSignOut with a live access token, fetching one first if need be."""
    token_set, access_expires_at = revocation.tokens()
    try:
        if access_expires_at <= now:
            token_set = _refreshed(revocation, token_set, now)
        brisk_user_pool().global_sign_out(token_set.access_token)
    except RefusedError:
        return  # these tokens are dead: there is nothing left of them, and nothing left to sign out with
    # Every token of this person is revoked now, whichever session it came from.
    others = Revocation.objects.filter(user_id=revocation.user_id, created_at__lte=revocation.created_at)
    _settle(others, now)


def _refreshed(revocation: Revocation, token_set: TokenSet, now: datetime) -> TokenSet:
    """Return newer tokens, stored before they are used: rotation may have killed the old refresh token."""
    response = brisk_user_pool().refresh(token_set.refresh_token)
    newer = TokenSet(
        access_token=response.access_token,
        id_token=response.id_token,
        refresh_token=response.refresh_token or token_set.refresh_token,
    )
    revocation.put_tokens(newer, now + SHORTEST_ACCESS_TOKEN_LIFE)
    revocation.save(update_fields=["sealed"])
    return newer


def _settle(revocations: QuerySet[Revocation], now: datetime) -> None:
    """Note that Cognito knows, and erase the tokens."""
    revocations.filter(state=Revocation.State.PENDING).update(
        state=Revocation.State.DONE, settled_at=now, sealed="", last_error=""
    )


def _postpone(revocation: Revocation, error: Exception, now: datetime) -> None:
    wait = min(BACK_OFF_FIRST * 2**revocation.attempts, BACK_OFF_MOST) * random.uniform(0.75, 1.25)  # noqa: S311
    revocation.attempts += 1
    revocation.last_error = str(error)[:100]
    revocation.due_at = now + wait
    revocation.save(update_fields=["attempts", "last_error", "due_at"])
    log = logger.warning if isinstance(error, ProviderUnavailableError) else logger.error
    log("Cognito could not be told: %s, revocation %s: %s", revocation.get_kind_display(), revocation.pk, error)
