"""What Cognito hands out, parsed at the edge into frozen values that cannot be printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.cognito.errors import InvalidTokenError, ProviderUnavailableError
from accounts.cognito.redacted import Redacted


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class TokenResponse(Redacted):
    """What the token endpoint or GetTokensFromRefreshToken returned (RFC 6749 section 5.1); not verified yet."""

    access_token: str
    id_token: str
    refresh_token: str | None

    @classmethod
    def parse(cls, answer: object) -> TokenResponse:
        """Read a JSON object with `access_token`, `id_token` and perhaps `refresh_token`.

        Raise ProviderUnavailableError if it is anything else: a proxy's page, or half an answer.
        """
        members = answer if isinstance(answer, Mapping) else {}
        access_token, id_token = members.get("access_token"), members.get("id_token")
        refresh_token = members.get("refresh_token")
        if not (isinstance(access_token, str) and isinstance(id_token, str)):
            raise ProviderUnavailableError("the token response lacks a token")
        if refresh_token is not None and not isinstance(refresh_token, str):
            raise ProviderUnavailableError("the token response's refresh token is not a string")
        return cls(access_token=access_token, id_token=id_token, refresh_token=refresh_token or None)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class TokenSet(Redacted):
    """The three tokens of one sign-in, decrypted in memory."""

    access_token: str
    id_token: str
    refresh_token: str

    def to_json(self) -> bytes:
        """Serialize for encryption; `from_json` reads it back."""
        return json.dumps(
            {"access": self.access_token, "id": self.id_token, "refresh": self.refresh_token},
            separators=(",", ":"),
        ).encode()

    @classmethod
    def from_json(cls, data: bytes) -> TokenSet:
        """Read what `to_json` wrote. Raise ValueError or KeyError if it is anything else."""
        members = json.loads(data)
        return cls(access_token=members["access"], id_token=members["id"], refresh_token=members["refresh"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Claims that ID and access tokens share; `raw` has all of them, as signed.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
    """

    issuer: str
    subject: str
    issued_at: datetime
    expires_at: datetime
    auth_time: datetime | None
    origin_jti: str
    groups: tuple[str, ...]
    raw: Mapping[str, Any]

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Claims:
        """Read the payload of a token whose signature holds.

        Raise InvalidTokenError naming the first claim that is missing or of the wrong type. An absent
        `cognito:groups` means no groups.
        """
        auth_time = payload.get("auth_time")
        groups = payload.get("cognito:groups", [])
        if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
            raise InvalidTokenError("cognito:groups", expected="a list of strings", actual=type(groups).__name__)
        origin_jti = payload.get("origin_jti", "")
        return cls(
            issuer=_text(payload, "iss"),
            subject=_text(payload, "sub"),
            issued_at=_moment(payload, "iat"),
            expires_at=_moment(payload, "exp"),
            auth_time=None if auth_time is None else _moment(payload, "auth_time"),
            origin_jti=origin_jti if isinstance(origin_jti, str) else "",
            groups=tuple(map(storable, groups)),
            raw=payload,
        )

    def text(self, name: str) -> str:
        """Return an optional claim as text that can be stored; anything but a string counts as absent."""
        value = self.raw.get(name)
        return storable(value) if isinstance(value, str) else ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Granted scopes, from the access token's space-separated `scope` claim."""
        return tuple(self.text("scope").split())


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class VerifiedTokens(Redacted):
    """A token set whose ID and access token passed every rule, with the claims they proved."""

    token_set: TokenSet
    id_claims: Claims
    access_claims: Claims


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value or value != storable(value):
        raise InvalidTokenError(name, expected="text", actual=type(value).__name__)
    return value


def storable(text: str) -> str:
    """Return text without what no database takes: NUL, and halves of characters that JSON can spell."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _moment(payload: Mapping[str, Any], name: str) -> datetime:
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidTokenError(name, expected="seconds since 1970", actual=type(value).__name__)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidTokenError(name, expected="seconds since 1970", actual="out of range") from error
