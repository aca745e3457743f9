"""Whether Cognito still welcomes the person: asked often enough to bound how long a revoked user stays in."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from accounts import budget
from accounts.cognito.errors import CognitoError, RefusedError
from accounts.cognito.user_pool import API_SCOPE
from accounts.conf import brisk_user_pool
from accounts.encryption import SealedDataError
from accounts.ending import SessionEndedError, end_session
from accounts.models import EndReason, Session
from accounts.profile import ask_profile

logger = logging.getLogger(__name__)

# An access token about to expire may be refused for its age alone, which says nothing about the person.
SAFETY = timedelta(seconds=10)
# Without an account there are no tokens either; every other refusal is about the tokens.
ACCOUNT_CODES = frozenset({"UserNotFoundException", "UserNotConfirmedException", "PasswordResetRequiredException"})


def probe(row: Session, now: datetime) -> None:
    """Ask GetUser if that is due for this session and within the budget; the answer feeds the profile page.

    Raise SessionEndedError if Cognito refuses the tokens or the person. Any other outcome, silence included, says
    nothing about the person and changes nothing.
    """
    if not _can_probe(row, now) or not row.claim_probe(now):
        return
    try:
        ask_profile(brisk_user_pool(), row, row.token_set(), now)
    except RefusedError as error:
        _refused(row, error, now)
    except (CognitoError, SealedDataError) as error:
        logger.warning("Session %s could not be probed: %s: %s", row.public_id, type(error).__name__, error)


def _can_probe(row: Session, now: datetime) -> bool:
    is_due = row.probe_due_at is not None and row.probe_due_at <= now
    return (
        is_due
        and API_SCOPE in row.granted_scopes
        and row.has_live_access_token(now + SAFETY)
        and budget.can_spend(budget.probe_budget(), now)
    )


def _refused(row: Session, error: RefusedError, now: datetime) -> None:
    """End the session, unless the tokens that were refused are not its tokens any more."""
    if not Session.objects.filter(public_id=row.public_id, token_version=row.token_version).exists():
        return
    logger.warning("Session %s is no longer welcome: %s", row.public_id, error.code)
    reason = EndReason.ACCOUNT_GONE if error.code in ACCOUNT_CODES else EndReason.ACCESS_REFUSED
    raise SessionEndedError(end_session(row, reason, now=now)) from error
