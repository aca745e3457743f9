"""The user pool of this Django project: its configuration and the objects that live as long as the process."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.core.signals import setting_changed

from accounts import measuring
from accounts.cognito.admin_api import AdminClient
from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.clock import Clock
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import UserPoolError
from accounts.cognito.jwks import KeySet
from accounts.cognito.user_pool import UserPoolClient
from accounts.cognito.verifier import TokenVerifier

# Within a person's request, for work that the queue will do anyway if this fails.
BRISK_READ_TIMEOUT_SECONDS = 3.0


@cache
def user_pool_config() -> UserPoolConfig:
    """Return the configuration made of the COGNITO_* settings. Raise ValueError if the pool id is malformed."""
    return UserPoolConfig.derive(
        user_pool_id=settings.COGNITO_USER_POOL_ID,
        client_id=settings.COGNITO_CLIENT_ID,
        client_secrets=tuple(settings.COGNITO_CLIENT_SECRET),
        domain=settings.COGNITO_DOMAIN,
        issuer=settings.COGNITO_ISSUER,
        jwks_url=settings.COGNITO_JWKS_URL,
        endpoint_url=settings.COGNITO_ENDPOINT_URL,
        scopes=tuple(settings.COGNITO_SCOPES),
    )


@cache
def token_verifier() -> TokenVerifier:
    """Return the process's token verifier, which caches the signing keys."""
    config = user_pool_config()
    return TokenVerifier(config, KeySet(config.jwks_url, measuring.observe))


@cache
def api_breaker() -> CircuitBreaker:
    """Return the circuit breaker of the cognito-idp API."""
    return CircuitBreaker(settings.COGNITO_CALLS_AT_ONCE, measuring.observe)


@cache
def token_endpoint_breaker() -> CircuitBreaker:
    """Return the circuit breaker of the hosted UI's token endpoint."""
    return CircuitBreaker(settings.COGNITO_CALLS_AT_ONCE, measuring.observe)


@cache
def cognito_clock() -> Clock:
    """Return what this process knows of the time at Cognito."""
    return Clock()


@cache
def user_pool() -> UserPoolClient:
    """Return the process's user-pool client."""
    return UserPoolClient(user_pool_config(), api_breaker(), cognito_clock())


@cache
def brisk_user_pool() -> UserPoolClient:
    """Return a user-pool client that gives up early."""
    return UserPoolClient(user_pool_config(), api_breaker(), cognito_clock(), read_timeout=BRISK_READ_TIMEOUT_SECONDS)


@cache
def admin_client() -> AdminClient:
    """Return the process's client for operations that this host's AWS credentials authorise.

    Raise UserPoolError if the settings do not allow that.
    """
    if not settings.COGNITO_ADMIN_API:
        raise UserPoolError("COGNITO_ADMIN_API is off")
    return AdminClient(user_pool_config(), api_breaker(), cognito_clock(), read_timeout=BRISK_READ_TIMEOUT_SECONDS)


def prepare() -> None:
    """Import and make what calls Cognito, which otherwise happens at first use; nobody is called yet.

    Half a second and 40 MB of libraries that no page with fresh tokens needs. A process that forks others may do it
    beforehand, so that they share it.
    """
    from authlib.integrations import requests_client  # noqa: F401
    from joserfc import jwe, jws  # noqa: F401

    user_pool().api.connect()


def callback_uri() -> str:
    """Return the redirect URI, which must stand in the app client's CallbackURLs to the letter."""
    return f"{settings.SITE_URL}/callback/"


def signed_out_uri() -> str:
    """Return the sign-out URI, which must stand in the app client's LogoutURLs to the letter."""
    return f"{settings.SITE_URL}/signed-out/"


_PER_PROCESS = (
    user_pool_config,
    token_verifier,
    api_breaker,
    token_endpoint_breaker,
    cognito_clock,
    user_pool,
    brisk_user_pool,
    admin_client,
)


def _forget(*, setting: str, **_: object) -> None:
    if setting.startswith("COGNITO_"):
        for cached in _PER_PROCESS:
            cached.cache_clear()


setting_changed.connect(_forget)
