"""Silent refresh: at 75 % of the access token's life, once per session however many requests and hosts there are.

Correctness rests on conditional UPDATEs of the session row, not on locks: SQLite has none to offer. No transaction
is open while Cognito is asked.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts import measuring
from accounts.cognito.errors import (
    CognitoError,
    InvalidTokenError,
    ProviderUnavailableError,
    RefusedError,
    TokenClockError,
    UserPoolError,
)
from accounts.cognito.oidc import client_is_refused
from accounts.cognito.tokens import TokenResponse, TokenSet, VerifiedTokens
from accounts.conf import token_endpoint_breaker, token_verifier, user_pool, user_pool_config
from accounts.encryption import SealedDataError, UnknownKeyError
from accounts.ending import SessionEndedError, end_session
from accounts.models import EndedSession, EndReason, Event, Revocation, Session
from accounts.revocation import deliver_while_it_works
from accounts.writing import if_writable

logger = logging.getLogger(__name__)

# How long a request waits for another one's refresh once the old access token is of no more use.
WAIT_SECONDS = 12.0
POLL_SECONDS = 0.1
# Without an account there are no tokens; every other refusal is about the tokens.
ACCOUNT_CODES = frozenset({"UserNotFoundException", "UserNotConfirmedException", "PasswordResetRequiredException"})


def keep_fresh(row: Session, now: datetime) -> Session:
    """Return the session's row, its tokens refreshed if that is due and nobody else is at it.

    Otherwise the row comes back as it is, perhaps with an expired access token: pages that need none go on at once,
    whether another request is asking Cognito or Cognito cannot be reached. Raise SessionEndedError if the session
    has ended, here and now or meanwhile.
    """
    if not row.refresh_is_due(now):
        return row
    claim = if_writable(partial(row.claim_refresh, now))
    return row if claim is None else _refresh(_read_again(row), claim, EndReason.REFRESH_REFUSED)


def settle_doubt(row: Session, error: RefusedError, now: datetime) -> Session:
    """Find out what it means that the API refused the session's access token, and return the row if not the worst.

    A token may be refused for its age alone when Cognito's clock is ahead. The refresh token tells: new tokens mean
    that the person is welcome. Raise SessionEndedError if they are not, or if there is no such account any more.
    """
    current = _read_again(row)
    if current.token_version != row.token_version:
        return current
    if error.code in ACCOUNT_CODES:
        raise _ended(row, EndReason.ACCOUNT_GONE) from error
    current.doubt_tokens(now)
    claim = current.claim_refresh(now)
    return current if claim is None else _refresh(_read_again(current), claim, EndReason.ACCESS_REFUSED)


def await_tokens(row: Session, now: datetime) -> Session:
    """Return the session's row with a live access token, waiting for another request's refresh if need be.

    The wait is bounded, and there is none while Cognito cannot be reached: then the row has an expired access token.
    Raise SessionEndedError if the session has ended meanwhile.
    """
    return _await(row, now, Session.has_live_access_token)


def await_groups(row: Session, now: datetime) -> Session:
    """Return the session's row with the person's groups as Cognito has them, give or take a probe.

    Tokens older than that are refreshed before their time. The wait is bounded as in `await_tokens`; while Cognito
    cannot be reached the groups stay as they are. Raise SessionEndedError if the session has ended meanwhile.
    """
    if not row.has_recent_groups(now):
        if_writable(partial(row.doubt_tokens, now))
    return _await(row, now, Session.has_recent_groups)


def _await(row: Session, now: datetime, is_good: Callable[[Session, datetime], bool]) -> Session:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_good(row, now) and time.monotonic() < deadline:
        row = keep_fresh(_read_again(row), now)
        if is_good(row, now) or not row.refresh_is_due(now):
            break  # refreshed, or backing off
        time.sleep(POLL_SECONDS)
        now = timezone.now()
    return row


def _refresh(row: Session, claim: uuid.UUID, if_refused: EndReason) -> Session:
    """Refresh, and tell how that came out."""
    start, outcome = time.monotonic(), "error"
    try:
        refreshed = _ask(row, claim, if_refused)
        outcome = "postponed" if refreshed.refresh_failures else "ok"
    except SessionEndedError:
        outcome = "ended"
        raise
    finally:
        measuring.observe("session_refresh", outcome, time.monotonic() - start)
    return refreshed


def _ask(row: Session, claim: uuid.UUID, if_refused: EndReason) -> Session:
    """Ask Cognito for new tokens. The claim is ours, so `row` is newest and nobody else asks meanwhile."""
    try:
        before = row.token_set()
        response = user_pool().refresh(before.refresh_token)
    except SealedDataError:
        logger.error("The tokens of session %s are damaged", row.public_id)
        raise _ended(row, EndReason.UNREADABLE) from None
    except RefusedError as error:
        return _refused(row, claim, error, if_refused)
    except (CognitoError, UnknownKeyError) as error:
        return _postponed(row, claim, error)
    return _received(row, claim, before, response)


def _received(row: Session, claim: uuid.UUID, before: TokenSet, response: TokenResponse) -> Session:
    """Verify what Cognito sent. Whatever comes of it, a rotated refresh token must not be lost: the old one is dead."""
    now = timezone.now()
    newest = TokenSet(
        access_token=before.access_token,
        id_token=before.id_token,
        refresh_token=response.refresh_token or before.refresh_token,
    )
    try:
        tokens = token_verifier().verify_refresh(response, before=before, subject=row.person.subject, now=now)
    except (ProviderUnavailableError, TokenClockError) as error:
        return _postponed(row, claim, error, keep=newest)
    except InvalidTokenError as error:
        if error.claim == "kid":  # signed with a key that is not published yet
            return _postponed(row, claim, error, keep=newest)
        logger.error("Session %s was given tokens that fail verification: %s", row.public_id, error)
        row.postpone_refresh(claim, str(error), now, keep=newest)
        raise _ended(row, EndReason.REJECTED) from error
    return _stored(row, tokens, now)


def _stored(row: Session, tokens: VerifiedTokens, now: datetime) -> Session:
    with transaction.atomic():
        is_stored = row.finish_refresh(tokens, now)
        if is_stored:
            row.person.follow_groups(tokens.id_claims.groups)
            Event.objects.record(Event.Kind.REFRESHED, row, now=now)
    if not is_stored:
        return _overtaken(row, tokens.token_set)
    logger.info("Session %s was refreshed; its access token lives until %s", row.public_id, row.access_expires_at)
    return row


def _refused(row: Session, claim: uuid.UUID, error: RefusedError, reason: EndReason) -> Session:
    """End the session, unless what is refused is not its newest refresh token, or is this relying party itself."""
    current = _read_again(row)
    if current.token_version != row.token_version:
        return current
    try:
        # After a refused access token there is no doubt left: the API asks for no client secret there.
        if error.code == "NotAuthorizedException" and reason is not EndReason.ACCESS_REFUSED:
            with token_endpoint_breaker().guard("check"):
                is_ours = client_is_refused(user_pool_config())
            if is_ours:
                return _postponed(row, claim, UserPoolError("the app client's id or secret is refused"))
    except ProviderUnavailableError as silence:
        return _postponed(row, claim, silence)
    reused = error.code == "RefreshTokenReuseException"
    kind = Event.Kind.REFRESH_REUSED if reused else Event.Kind.REFRESH_FAILED
    Event.objects.record(kind, row, now=timezone.now(), detail=error.code)
    logger.log(
        logging.ERROR if reused else logging.WARNING, "Session %s is refused a refresh: %s", row.public_id, error.code
    )
    raise _ended(row, reason) from error


def _postponed(row: Session, claim: uuid.UUID, error: Exception, keep: TokenSet | None = None) -> Session:
    # A throttled or silent Cognito passes; anything else is a configuration that somebody must mend.
    log = logger.warning if isinstance(error, ProviderUnavailableError) else logger.error
    log("Session %s could not be refreshed: %s: %s", row.public_id, type(error).__name__, error)
    now = timezone.now()
    if not row.postpone_refresh(claim, f"{type(error).__name__}: {error}", now, keep):
        return _overtaken(row, keep)
    Event.objects.record(Event.Kind.REFRESH_FAILED, row, now=now, detail=row.refresh_error)
    return row


def _overtaken(row: Session, received: TokenSet | None) -> Session:
    """Go on with the row as others left it; if they ended the session, the tokens just received must not outlive it."""
    try:
        return _read_again(row)
    except SessionEndedError:
        if received is not None:
            now = timezone.now()
            revocation = Revocation.of(row, Revocation.Kind.REFRESH_TOKEN, now)
            revocation.put_tokens(received, row.access_expires_at)
            revocation.save(force_insert=True)
            deliver_while_it_works([revocation], now)
        raise


def _read_again(row: Session) -> Session:
    """Read the row anew. Raise SessionEndedError if it is gone."""
    current: Session | None = Session.objects.select_related("user").filter(public_id=row.public_id).first()
    if current is None:
        raise SessionEndedError(EndedSession.objects.filter(public_id=row.public_id).first())
    return current


def _ended(row: Session, reason: EndReason) -> SessionEndedError:
    return SessionEndedError(end_session(row, reason, now=timezone.now()))
