"""Telling Cognito what has ended here.

The `Revocation` row is the truth (a transactional outbox). Whoever claims it delivers it: the request that ended the
session, while Cognito answers, and otherwise a worker. Delivering twice does no harm: a revoked token stays revoked,
and a global sign-out that was done already is refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from accounts import budget, measuring
from accounts.cognito.admin_api import UserNotFoundError
from accounts.cognito.errors import CognitoError, ProviderUnavailableError, RefusedError
from accounts.cognito.tokens import TokenSet
from accounts.conf import admin_client, brisk_user_pool
from accounts.encryption import SealedDataError, UnknownKeyError
from accounts.models import Event, Revocation, User

logger = logging.getLogger(__name__)

# How long somebody who ends many sessions waits for Cognito to be told of them.
SECONDS_IN_REQUEST = 2.0
# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
SHORTEST_ACCESS_TOKEN_LIFE = timedelta(minutes=5)


def deliver_while_it_works(revocations: Iterable[Revocation], now: datetime) -> None:
    """Deliver claimed revocations until one fails or time is up; the rest is left to the worker.

    So an outage costs whoever waits one time-out, and a slow Cognito a few seconds.
    """
    waiting, end = list(revocations), time.monotonic() + SECONDS_IN_REQUEST
    while waiting and time.monotonic() < end and deliver(waiting.pop(0), now):
        pass
    leave_to_worker(waiting)


def leave_to_worker(revocations: Iterable[Revocation]) -> None:
    """Give up the claims on revocations, so that the worker finds them."""
    Revocation.objects.pending().filter(pk__in=[left.pk for left in revocations]).update(claimed_until=None)


def deliver(revocation: Revocation, now: datetime) -> bool:
    """Tell Cognito about a revocation that the caller has claimed, and say whether it is settled now.

    A failure is written into the row with the time of the next try; nothing is raised, nothing is lost.
    """
    start = time.monotonic()
    is_settled = _deliver(revocation, now)
    measuring.observe("revocation", "settled" if is_settled else "postponed", time.monotonic() - start)
    return is_settled


def _deliver(revocation: Revocation, now: datetime) -> bool:
    this = Revocation.objects.filter(pk=revocation.pk)
    if revocation.expires_at <= now:
        this.settle(Revocation.State.EXPIRED, now)
        return True
    try:
        _tell(revocation, now)
    except SealedDataError:
        give_up(revocation, "its tokens are damaged", now)
        return True
    except UserNotFoundError:
        give_up(revocation, f"the pool has no user {revocation.user.pool_username}", now)
        return True
    except Exception as error:  # one revocation that nobody foresaw must not hold up the others
        _postpone(revocation, error, now)
        return False
    if this.settle(Revocation.State.DONE, now):
        logger.info("Cognito was told: %s, revocation %s", revocation.get_kind_display(), revocation.pk)
    return True


def retry(revocation: Revocation, why: str, now: datetime, *, actor: User | None = None) -> None:
    """Try a pending revocation now rather than when it is due, unless a worker is at it already."""
    if Revocation.objects.pending().filter(pk=revocation.pk).update(due_at=now):
        _record(Event.Kind.REVOCATION_RETRIED, revocation, why, now, actor)
        if revocation.claim(now):
            deliver(revocation, now)


def give_up(revocation: Revocation, why: str, now: datetime, *, actor: User | None = None) -> bool:
    """Close a revocation that will not be delivered, and say so in the audit trail; False if it was settled before."""
    with transaction.atomic():
        if not Revocation.objects.filter(pk=revocation.pk).settle(Revocation.State.GIVEN_UP, now, why[:100]):
            return False
        _record(Event.Kind.REVOCATION_GIVEN_UP, revocation, why, now, actor)
    logger.error("Revocation %s is given up: %s", revocation.pk, why)
    return True


def _record(kind: Event.Kind, revocation: Revocation, why: str, now: datetime, actor: User | None) -> None:
    detail = f"{revocation.pk}: {why}"[:200]
    Event.objects.record(kind, None, now=now, user_id=revocation.user_id, actor=actor, detail=detail)


def _tell(revocation: Revocation, now: datetime) -> None:
    if not Revocation.objects.pending().filter(pk=revocation.pk).exists():
        return  # a global sign-out has settled it meanwhile
    budget.spend(budget.GLOBAL_SIGN_OUT if revocation.is_global else budget.REVOKE, now)
    if revocation.kind == Revocation.Kind.ADMIN_GLOBAL:
        admin_client().global_sign_out(revocation.user.pool_username)
        _settle_all_until(revocation, now)
    elif revocation.kind == Revocation.Kind.GLOBAL:
        _sign_out_globally(revocation, now)
    else:
        brisk_user_pool().revoke(revocation.token_set().refresh_token)


def _sign_out_globally(revocation: Revocation, now: datetime) -> None:
    """Call GlobalSignOut with a live access token, fetching one first if need be.

    Refused, the tokens are most likely dead already. That is made sure of: Cognito may have found no more than the
    access token expired, by its own clock, or without the scope.
    """
    token_set, expires_at = revocation.token_set(), revocation.access_expires_at
    try:
        if expires_at is None or expires_at <= now:
            token_set = _refreshed(revocation, token_set, now)
        brisk_user_pool().global_sign_out(token_set.access_token)
    except RefusedError:
        # It is no global sign-out any more, and nobody is to be told that it was one.
        revocation.kind = Revocation.Kind.REFRESH_TOKEN
        revocation.save(update_fields=["kind"])
        brisk_user_pool().revoke(token_set.refresh_token)
        return
    _settle_all_until(revocation, now)


def _settle_all_until(revocation: Revocation, now: datetime) -> None:
    """Close what a global sign-out has settled: every token of this person is revoked, whichever session it is from."""
    others = Revocation.objects.filter(user_id=revocation.user_id, created_at__lte=revocation.created_at)
    others.settle(Revocation.State.DONE, now)


def _refreshed(revocation: Revocation, token_set: TokenSet, now: datetime) -> TokenSet:
    """Return newer tokens, stored before they are used: rotation may have killed the old refresh token."""
    response = brisk_user_pool().refresh(token_set.refresh_token)
    newer = TokenSet(
        access_token=response.access_token,
        id_token=response.id_token,
        refresh_token=response.refresh_token or token_set.refresh_token,
    )
    revocation.put_tokens(newer, now + SHORTEST_ACCESS_TOKEN_LIFE)
    columns = {"sealed": revocation.sealed, "access_expires_at": revocation.access_expires_at}
    if not Revocation.objects.pending().filter(pk=revocation.pk).update(**columns):
        # Given up meanwhile: what was erased must not come back.
        brisk_user_pool().revoke(newer.refresh_token)
    return newer


def _postpone(revocation: Revocation, error: Exception, now: datetime) -> None:
    revocation.postpone(f"{type(error).__name__}: {error}", now)
    foreseen = isinstance(error, CognitoError | UnknownKeyError)
    log = logger.warning if isinstance(error, ProviderUnavailableError) else logger.error
    log(
        "Cognito could not be told: %s, revocation %s: %s",
        revocation.get_kind_display(),
        revocation.pk,
        error,
        exc_info=None if foreseen else error,
    )
