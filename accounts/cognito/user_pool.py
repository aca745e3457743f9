"""The user-pool client: the door to the cognito-idp API, with the person's own tokens and no AWS credentials."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import (
    ProviderUnavailableError,
    RefusedError,
    ThrottledError,
    UserPoolError,
)
from accounts.cognito.tokens import TokenResponse

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

CONNECT_TIMEOUT_SECONDS = 2.0

# Error codes by what they mean for the person. Everything else (ResourceNotFound, InvalidParameter, Forbidden,
# Unauthorized ...) is a configuration alarm and says nothing about them.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html
REFUSED_CODES = frozenset(
    {
        "NotAuthorizedException",
        "RefreshTokenReuseException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
    }
)
THROTTLED_CODES = frozenset({"TooManyRequestsException", "LimitExceededException", "ThrottlingException"})
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

    def __init__(self, config: UserPoolConfig, breaker: CircuitBreaker, *, read_timeout: float = 8.0) -> None:
        self.config = config
        self.breaker = breaker
        self.read_timeout = read_timeout
        self._client: CognitoIdentityProviderClient | None = None

    def get_user(self, access_token: str) -> UserProfile:
        """Return the profile of the access token's owner. Needs the scope in `API_SCOPE`."""
        with self.breaker.guard("get_user"):
            answer = self._call("get_user", AccessToken=access_token)
            try:
                return UserProfile(
                    username=answer["Username"],
                    attributes={item["Name"]: item.get("Value", "") for item in answer["UserAttributes"]},
                    mfa_methods=tuple(answer.get("UserMFASettingList", ())),
                    preferred_mfa=answer.get("PreferredMfaSetting", ""),
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
            names = {"access_token": "AccessToken", "id_token": "IdToken", "refresh_token": "RefreshToken"}
            return TokenResponse.parse({ours: answer.get(theirs) for ours, theirs in names.items()})

    def revoke(self, refresh_token: str) -> None:
        """Revoke a refresh token and every access token that came with it; an unknown one counts as revoked."""
        with self.breaker.guard("revoke"):
            self._as_client("revoke_token", "UnauthorizedException", Token=refresh_token)

    def global_sign_out(self, access_token: str) -> None:
        """Revoke all tokens of the access token's owner, in every app client of the pool."""
        with self.breaker.guard("global_sign_out"):
            self._call("global_sign_out", AccessToken=access_token)

    def _as_client(self, operation: str, wrong_secret: str, **parameters: Any) -> Mapping[str, Any]:
        """Call an operation that authenticates the app client; two secrets may be valid while one rotates."""
        secrets = self.config.client_secrets
        for secret in secrets[:-1]:
            try:
                return self._call(operation, ClientId=self.config.client_id, ClientSecret=secret, **parameters)
            except UserPoolError as error:
                if error.code != wrong_secret:
                    raise
        last = {"ClientSecret": secrets[-1]} if secrets else {}
        return self._call(operation, ClientId=self.config.client_id, **last, **parameters)

    def _call(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        try:
            answer: Mapping[str, Any] = getattr(self._connect(), operation)(**parameters)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise _api_error(code, status) from None  # the cause holds the request's parameters
        except ParamValidationError:
            raise UserPoolError("InvalidParameterException") from None
        except (BotoCoreError, ValueError, TypeError, AttributeError, KeyError) as error:
            # The last three come out of the SDK's own parser when the answer is JSON of another shape.
            raise ProviderUnavailableError(f"{operation}: {type(error).__name__}") from None
        # The SDK takes a proxy's page with status 200 for an empty answer, and an empty answer for success.
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if not headers.get("content-type", "").startswith("application/x-amz-json"):
            raise ProviderUnavailableError(f"{operation}: the answer is not Cognito's")
        return answer

    def _connect(self) -> CognitoIdentityProviderClient:
        """Make the SDK's client when first needed: importing boto3 costs more than the rest of a worker's start."""
        if self._client is None:
            # One session for the process, which must not make two clients at once.
            with _sdk_lock:
                if self._client is None:
                    self._client = self._make_client()
        return self._client

    def _make_client(self) -> CognitoIdentityProviderClient:
        from botocore import UNSIGNED
        from botocore.config import Config

        # Below INFO these print request bodies, and ours are tokens.
        for logger in map(logging.getLogger, ("botocore", "urllib3")):
            logger.setLevel(max(logger.getEffectiveLevel(), logging.INFO))
        return _sdk_session().client(
            "cognito-idp",
            region_name=self.config.region,
            endpoint_url=self.config.endpoint_url or None,
            config=Config(
                signature_version=UNSIGNED,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=self.read_timeout,
                retries={"mode": "standard", "total_max_attempts": 1},
                max_pool_connections=32,
            ),
        )


_sdk_lock = threading.Lock()


@cache
def _sdk_session() -> Session:
    """Return the SDK's session, which reads the service model once."""
    import boto3

    return boto3.session.Session()


def _api_error(code: str, status: int) -> UserPoolError | ProviderUnavailableError:
    if code in THROTTLED_CODES or status == 429:
        return ThrottledError(code)
    if code in REFUSED_CODES:
        return RefusedError(code)
    if code == "InternalErrorException" or status >= 500 or not code.endswith("Exception"):
        return ProviderUnavailableError(f"{code or 'no error code'}, status {status}")
    return UserPoolError(code)
