"""The claims of a session's tokens, explained for the tokens page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.cognito.errors import CognitoError
from accounts.cognito.tokens import TokenSet
from accounts.cognito.verifier import Inspection, TokenVerifier


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What is known of one token: its inspection, or the error that prevented one."""

    use: str
    inspection: Inspection | None
    error: CognitoError | None


def token_reports(verifier: TokenVerifier, token_set: TokenSet, now: datetime) -> list[TokenReport]:
    """Return a report on the ID token and one on the access token."""
    return [
        _report(verifier, token, use, now)
        for use, token in (("id", token_set.id_token), ("access", token_set.access_token))
    ]


def _report(verifier: TokenVerifier, token: str, use: str, now: datetime) -> TokenReport:
    try:
        return TokenReport(use, verifier.inspect(token, use=use, now=now), None)
    except CognitoError as error:
        return TokenReport(use, None, error)
