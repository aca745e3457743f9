"""The user-pool client: the door to the cognito-idp API, with the person's own tokens and no AWS credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.cognito.api import CognitoApi
from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.clock import Clock
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import ProviderUnavailableError, UserPoolError
from accounts.cognito.tokens import TokenResponse, storable

# GetUser and the rest act only on tokens that were granted this scope.
API_SCOPE = "aws.cognito.signin.user.admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserProfile:
    """What GetUser says of a person. Every attribute is a string, the verified flags too."""

    username: str
    attributes: Mapping[str, str]
    mfa_methods: tuple[str, ...]
    preferred_mfa: str

    @property
    def subject(self) -> str:
        return self.attributes.get("sub", "")


class UserPoolClient:
    """Calls cognito-idp operations that a person's tokens authorise; one per process, shared between threads.

    Every method raises RefusedError (the token or the person is refused for good), ProviderUnavailableError
    (no answer, nonsense, throttled) or UserPoolError (a configuration alarm).
    """

    def __init__(
        self,
        config: UserPoolConfig,
        breaker: CircuitBreaker,
        clock: Clock | None = None,
        *,
        read_timeout: float = 8.0,
    ) -> None:
        self.config = config
        self.breaker = breaker
        self.api = CognitoApi(config, clock or Clock(), read_timeout=read_timeout)

    def get_user(self, access_token: str) -> UserProfile:
        """Return the profile of the access token's owner. Needs the scope in `API_SCOPE`."""
        with self.breaker.guard("get_user"):
            answer = self.api.call("get_user", AccessToken=access_token)
            try:
                return UserProfile(
                    username=_text(answer["Username"]),
                    attributes={_text(item["Name"]): _text(item.get("Value", "")) for item in answer["UserAttributes"]},
                    mfa_methods=tuple(map(_text, answer.get("UserMFASettingList", ()))),
                    preferred_mfa=_text(answer.get("PreferredMfaSetting", "")),
                )
            except (KeyError, TypeError, AttributeError) as error:
                raise ProviderUnavailableError("GetUser answered nonsense") from error

    def refresh(self, refresh_token: str) -> TokenResponse:
        """Return new tokens by GetTokensFromRefreshToken, AWS's own path for rotation; tried once, never again.

        The answer has a refresh token only if rotation is on: without one the old one stays in use.
        https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
        """
        with self.breaker.guard("refresh"):
            answer = self._as_client(
                "get_tokens_from_refresh_token", "NotAuthorizedException", RefreshToken=refresh_token
            ).get("AuthenticationResult")
            if not isinstance(answer, Mapping):
                raise ProviderUnavailableError("GetTokensFromRefreshToken answered nonsense")
            return TokenResponse.parse(
                {
                    "access_token": answer.get("AccessToken"),
                    "id_token": answer.get("IdToken"),
                    "refresh_token": answer.get("RefreshToken"),
                }
            )

    def revoke(self, refresh_token: str) -> None:
        """Revoke a refresh token and every access token that came with it; an unknown one counts as revoked."""
        with self.breaker.guard("revoke"):
            self._as_client("revoke_token", "UnauthorizedException", Token=refresh_token)

    def global_sign_out(self, access_token: str) -> None:
        """Revoke all tokens of the access token's owner, in every app client of the pool."""
        with self.breaker.guard("global_sign_out"):
            self.api.call("global_sign_out", AccessToken=access_token)

    def _as_client(self, operation: str, wrong_secret: str, **parameters: Any) -> Mapping[str, Any]:
        """Call an operation that authenticates the app client; two secrets may be valid while one rotates."""
        secrets = self.config.client_secrets
        for secret in secrets[:-1]:
            try:
                return self.api.call(operation, ClientId=self.config.client_id, ClientSecret=secret, **parameters)
            except UserPoolError as error:
                if error.code != wrong_secret:
                    raise
        last = {"ClientSecret": secrets[-1]} if secrets else {}
        return self.api.call(operation, ClientId=self.config.client_id, **last, **parameters)


def _text(value: object) -> str:
    """Return text that can be shown. Raise TypeError if it is none: the SDK takes an answer's types on trust."""
    if not isinstance(value, str):
        raise TypeError(f"a string is wanted, not {type(value).__name__}")
    return storable(value)
