"""The cognito-idp API as such: one client of the SDK, its answers checked and its errors made types."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from accounts.cognito.clock import Clock
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import (
    ProviderUnavailableError,
    RefusedError,
    ThrottledError,
    UserPoolError,
)

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


class CognitoApi:
    """Calls operations of the cognito-idp API, each once; one per process and kind, shared between threads.

    Unsigned unless `is_signed`: then with the AWS credentials that the SDK finds on this host. `clock` is told what
    time it is at Cognito.
    """

    def __init__(self, config: UserPoolConfig, clock: Clock, *, read_timeout: float, is_signed: bool = False) -> None:
        self.config = config
        self._clock = clock
        self.read_timeout = read_timeout
        self._is_signed = is_signed
        self._client: CognitoIdentityProviderClient | None = None

    def call(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Return an operation's answer. Raise RefusedError, ProviderUnavailableError or UserPoolError."""
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            NoCredentialsError,
            ParamValidationError,
            PartialCredentialsError,
        )

        try:
            answer: Mapping[str, Any] = getattr(self.connect(), operation)(**parameters)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise _api_error(code, status) from None  # the cause holds the request's parameters
        except ParamValidationError:
            raise UserPoolError("InvalidParameterException") from None
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise UserPoolError(type(error).__name__) from None
        except (BotoCoreError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # All but the first come out of the SDK's own parser when the answer is JSON of another shape.
            raise ProviderUnavailableError(f"{operation}: {type(error).__name__}") from None
        # The SDK takes a proxy's page with status 200 for an empty answer, and an empty answer for success.
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if not headers.get("content-type", "").startswith("application/x-amz-json"):
            raise ProviderUnavailableError(f"{operation}: the answer is not Cognito's")
        self._clock.compare(headers.get("date", ""))
        return answer

    def connect(self) -> CognitoIdentityProviderClient:
        """Return the SDK's client, made when first needed: importing boto3 takes longer than the rest of a start."""
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
        return sdk_session().client(
            "cognito-idp",
            region_name=self.config.region,
            endpoint_url=self.config.endpoint_url or None,
            config=Config(
                signature_version=None if self._is_signed else UNSIGNED,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=self.read_timeout,
                retries={"mode": "standard", "total_max_attempts": 1},
                max_pool_connections=32,
            ),
        )


_sdk_lock = threading.Lock()


@cache
def sdk_session() -> Session:
    """Return the SDK's session, which reads the service model and looks for AWS credentials once."""
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
