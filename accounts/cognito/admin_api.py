"""The two operations that need AWS credentials: what Cognito says of a user, and signing them out of every app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.cognito.api import CognitoApi
from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.clock import Clock
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import ProviderUnavailableError, UserPoolError

# What IAM, or the lack of credentials, answers instead of Cognito.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html
DENIED_CODES = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "NoCredentialsError",
        "NotAuthorizedException",
        "PartialCredentialsError",
        "UnrecognizedClientException",
    }
)


class UserNotFoundError(UserPoolError):
    """The pool has no user of this name, or none any more."""


class AccessDeniedError(UserPoolError):
    """This host's AWS credentials, if it has any, may not call the operation; `action` names it as IAM does."""

    def __init__(self, code: str, action: str) -> None:
        super().__init__(code)
        self.action = action

    def __str__(self) -> str:
        return f"{self.code}: this host needs AWS credentials that allow {self.action}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStatus:
    """What AdminGetUser says of a user; `status` is a word of Cognito's, such as CONFIRMED or EXTERNAL_PROVIDER."""

    username: str
    status: str
    is_enabled: bool
    created_at: datetime | None
    modified_at: datetime | None
    mfa_methods: tuple[str, ...]
    preferred_mfa: str


class AdminClient:
    """Calls the operations with this host's AWS credentials (boto3's default chain); one per process.

    Every method raises UserNotFoundError, AccessDeniedError, ProviderUnavailableError (no answer, nonsense,
    throttled) or UserPoolError (another configuration alarm).
    """

    def __init__(
        self, config: UserPoolConfig, breaker: CircuitBreaker, clock: Clock | None = None, *, read_timeout: float = 3.0
    ) -> None:
        self.breaker = breaker
        self.api = CognitoApi(config, clock or Clock(), read_timeout=read_timeout, is_signed=True)

    def get_user(self, username: str) -> UserStatus:
        """Return what Cognito says of a user. Whoever is asked about counts as active this month (billing)."""
        with self._calling("admin_get_user", "cognito-idp:AdminGetUser"):
            answer = self._call("admin_get_user", username)
            try:
                return UserStatus(
                    username=str(answer["Username"]),
                    status=str(answer["UserStatus"]),
                    is_enabled=bool(answer["Enabled"]),
                    created_at=_moment(answer.get("UserCreateDate")),
                    modified_at=_moment(answer.get("UserLastModifiedDate")),
                    mfa_methods=tuple(map(str, answer.get("UserMFASettingList", ()))),
                    preferred_mfa=str(answer.get("PreferredMfaSetting", "")),
                )
            except (LookupError, TypeError) as error:
                raise ProviderUnavailableError("AdminGetUser answered nonsense") from error

    def global_sign_out(self, username: str) -> None:
        """Revoke all tokens of a user, in every app client of the pool."""
        with self._calling("admin_user_global_sign_out", "cognito-idp:AdminUserGlobalSignOut"):
            self._call("admin_user_global_sign_out", username)

    def _call(self, operation: str, username: str) -> Mapping[str, Any]:
        return self.api.call(operation, UserPoolId=self.api.config.user_pool_id, Username=username)

    @contextmanager
    def _calling(self, operation: str, action: str) -> Iterator[None]:
        """Call an operation inside the block, and say of a refusal whether it is about the user or about us."""
        with self.breaker.guard(operation):
            try:
                yield
            except UserPoolError as error:
                if error.code == "UserNotFoundException":
                    raise UserNotFoundError(error.code) from None
                if error.code in DENIED_CODES:
                    raise AccessDeniedError(error.code, action) from None
                raise UserPoolError(error.code) from None


def _moment(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None
