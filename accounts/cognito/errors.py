"""Everything that can go wrong between this relying party and Cognito, as types.

Callers decide by type or by OAuth error code, never by message text: Cognito's texts are not contractual.
"""

from __future__ import annotations

import reprlib

# A claim may be anything, of any length, and errors are logged.
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 200


class CognitoError(Exception):
    """Base of every error raised by `accounts.cognito`."""


class AuthorizationResponseError(CognitoError):
    """The authorization response carries an error or is malformed (RFC 6749 section 4.1.2.1).

    `description` comes from the query string: log it escaped, never show it.
    """

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class StateMismatchError(AuthorizationResponseError):
    """The response's `state` belongs to no pending authorization request of this browser."""


class TokenEndpointError(CognitoError):
    """The token endpoint refused the request (RFC 6749 section 5.2)."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class InvalidGrantError(TokenEndpointError):
    """The authorization code is used, expired, unknown, or does not fit its `code_verifier`."""


class InvalidTokenError(CognitoError):
    """A token breaks one verification rule; `claim` names the rule."""

    def __init__(self, claim: str, *, expected: object = None, actual: object = None) -> None:
        super().__init__(f"{claim}: expected {_brief.repr(expected)}, got {_brief.repr(actual)}")
        self.claim = claim
        self.expected = expected
        self.actual = actual


class TokenClockError(InvalidTokenError):
    """A token just issued looks expired or not yet valid: this host's clock and Cognito's disagree."""


class UserPoolError(CognitoError):
    """The cognito-idp API refused the call; `code` is the exception's name in AWS's service model.

    Raised as such it means a configuration alarm (wrong client, missing scope, WAF): it says nothing about the
    person, so it never ends a session.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RefusedError(UserPoolError):
    """The token or its user is refused for good: revoked, expired, reused, disabled or deleted."""


class ProviderUnavailableError(CognitoError):
    """Cognito did not answer, answered nonsense, or throttled; the same call may succeed later.

    `turned_away` tells of a page with status 4xx: something in front, such as a firewall, refused this one request.
    """

    def __init__(self, reason: str, *, retry_after: int = 5, turned_away: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.turned_away = turned_away


class ThrottledError(ProviderUnavailableError):
    """Cognito refused the call because a quota is used up (429 or TooManyRequestsException)."""
