"""Whether Cognito still welcomes the person: asked often enough to bound how long a revoked user stays in."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from accounts import budget, measuring
from accounts.cognito.errors import CognitoError, RefusedError
from accounts.cognito.observing import observed
from accounts.cognito.user_pool import API_SCOPE
from accounts.conf import brisk_user_pool
from accounts.encryption import SealedDataError, UnknownKeyError
from accounts.models import Session
from accounts.profile import ask_profile
from accounts.refresh import settle_doubt
from accounts.writing import if_writable

logger = logging.getLogger(__name__)

# An access token about to expire may be refused for its age alone: not worth the question.
SAFETY = timedelta(seconds=10)


def probe(row: Session, now: datetime) -> Session:
    """Ask GetUser if that is due for this session and within the budget; the answer feeds the profile page.

    Return the newest row. Raise SessionEndedError if Cognito refuses the tokens or the person. Any other outcome,
    silence included, says nothing about the person and changes nothing.
    """
    if not _can_probe(row, now) or not if_writable(partial(row.claim_probe, now)):
        return row
    if not budget.can_spend(budget.probe_budget(), now):
        measuring.observe("session_probe", "put_off", 0.0)
        if_writable(partial(row.put_off_probe, now))
        return row
    try:
        with observed("session_probe", measuring.observe):
            ask_profile(brisk_user_pool(), row, row.token_set(), now)
    except RefusedError as error:
        logger.warning("Session %s: GetUser refuses its tokens: %s", row.public_id, error.code)
        return settle_doubt(row, error, now)
    except (CognitoError, SealedDataError, UnknownKeyError) as error:
        logger.warning("Session %s could not be probed: %s: %s", row.public_id, type(error).__name__, error)
    return row


def _can_probe(row: Session, now: datetime) -> bool:
    is_due = row.probe_due_at is not None and row.probe_due_at <= now
    return is_due and API_SCOPE in row.granted_scopes and row.has_live_access_token(now + SAFETY)
