"""What Cognito says of the signed-in person, asked sparingly."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from accounts import soft_cache
from accounts.cognito.errors import (
    InvalidTokenError,
    ProviderUnavailableError,
    RefusedError,
    ThrottledError,
    UserPoolError,
)
from accounts.cognito.tokens import TokenSet
from accounts.cognito.user_pool import API_SCOPE, UserPoolClient, UserProfile
from accounts.conf import user_pool
from accounts.models import Session

logger = logging.getLogger(__name__)

# GetUser's quota is shared by the whole AWS account; a person who reloads need not use it up.
FRESH_FOR = timedelta(seconds=30)
KEPT_FOR = timedelta(hours=1)


class ProfileProblem(StrEnum):
    """Why a profile is missing or old."""

    MISSING_SCOPE = "missing_scope"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReading:
    """A profile as of a moment (UTC), or the reason for having none; with both, the profile is the last one known."""

    profile: UserProfile | None = None
    as_of: datetime | None = None
    problem: ProfileProblem | None = None


def read_profile(row: Session, token_set: TokenSet, now: datetime) -> ProfileReading:
    """Return the person's profile from GetUser, at most half a minute old if Cognito can be asked.

    Raise RefusedError if Cognito no longer accepts the session's tokens, and InvalidTokenError if its answer is
    about somebody else.
    """
    if API_SCOPE not in row.granted_scopes:
        return ProfileReading(problem=ProfileProblem.MISSING_SCOPE)
    cached = soft_cache.get(_key(row))
    known = cached if isinstance(cached, ProfileReading) else ProfileReading()
    if known.as_of is not None and now - known.as_of < FRESH_FOR:
        return known
    problem = ProfileProblem.UNREACHABLE
    if row.has_live_access_token(now):
        try:
            return ask_profile(user_pool(), row, token_set, now)
        except RefusedError:
            raise
        except (ProviderUnavailableError, UserPoolError) as error:
            logger.warning("No profile for session %s: %s: %s", row.public_id, type(error).__name__, error)
            problem = _problem_of(error)
    return ProfileReading(profile=known.profile, as_of=known.as_of, problem=problem)


def ask_profile(client: UserPoolClient, row: Session, token_set: TokenSet, now: datetime) -> ProfileReading:
    """Call GetUser and keep its answer for the profile page. Raises as `UserPoolClient.get_user` and `read_profile`."""
    profile = client.get_user(token_set.access_token)
    if profile.subject != row.person.subject:
        raise InvalidTokenError("sub", expected=row.person.subject, actual=profile.subject)
    reading = ProfileReading(profile=profile, as_of=now)
    soft_cache.put(_key(row), reading, seconds=KEPT_FOR.total_seconds())
    return reading


def _problem_of(error: ProviderUnavailableError | UserPoolError) -> ProfileProblem:
    if isinstance(error, ThrottledError):
        return ProfileProblem.THROTTLED
    if isinstance(error, ProviderUnavailableError):
        return ProfileProblem.UNREACHABLE
    return ProfileProblem.MISCONFIGURED


def _key(row: Session) -> str:
    return f"profile:{row.public_id}"
