"""What the pool remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

TokenResponse = dict[str, Any]
"""`access_token`, `id_token`, `refresh_token`, `token_type` and `expires_in`, as far as they were granted."""


class PoolError(Exception):
    """A refusal; `code` is the exception's name in the service model of cognito-idp."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(eq=False)
class Person:
    """A user of the pool, whose e-mail address is an alias of the user name.

    A local user's name is their `sub`; one who comes from another identity provider is `Provider_externalId`.
    Without a password nobody signs in.
    """

    email: str
    password: str
    groups: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    provider: str = ""
    sub: str = field(default_factory=lambda: str(uuid4()))
    external_id: str = field(default_factory=lambda: uuid4().hex)
    enabled: bool = True
    created_at: float = 0.0

    @property
    def username(self) -> str:
        return f"{self.provider}_{self.external_id}" if self.provider else self.sub

    @property
    def status(self) -> str:
        if self.provider:
            return "EXTERNAL_PROVIDER"
        return "CONFIRMED" if self.password else "FORCE_CHANGE_PASSWORD"

    @property
    def user_attributes(self) -> dict[str, str]:
        """Every attribute as the API shows it: strings only."""
        return {"sub": self.sub, "email": self.email, "email_verified": "true"} | self.attributes


@dataclass(eq=False)
class SignIn:
    """One sign-in and all tokens that descend from it: the family that `origin_jti` names.

    `expires_at` bounds every refresh token of the family, since rotation does not prolong it.
    """

    person: Person
    scopes: tuple[str, ...]
    auth_time: float
    expires_at: float
    revoked: bool = False
    origin_jti: str = field(default_factory=lambda: str(uuid4()))
    event_id: str = field(default_factory=lambda: str(uuid4()))


@dataclass(eq=False)
class RefreshToken:
    """One refresh token of a sign-in, retired when rotation replaces it."""

    sign_in: SignIn
    retired_at: float | None = None


@dataclass(eq=False)
class AuthorizationCode:
    """What an authorization code stands for until it is redeemed."""

    person: Person
    scopes: tuple[str, ...]
    nonce: str
    redirect_uri: str
    code_challenge: str
    auth_time: float
    expires_at: float


@dataclass(eq=False)
class BrowserLogin:
    """The login behind the hosted UI's `cognito` cookie: one hour from signing in, not sliding."""

    person: Person
    auth_time: float
    expires_at: float
