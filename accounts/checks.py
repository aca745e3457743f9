"""Configuration that would fail later, and worse, is refused at start-up."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name for it

from accounts.cognito.user_pool import API_SCOPE
from accounts.conf import user_pool_config
from accounts.encryption import key_bytes
from accounts.models import Session

ADDRESSES = ("COGNITO_DOMAIN", "COGNITO_ISSUER", "COGNITO_JWKS_URL", "COGNITO_ENDPOINT_URL")
LIMITS = ("SESSION_IDLE_SECONDS", "SESSION_ABSOLUTE_SECONDS", "COGNITO_REFRESH_TOKEN_SECONDS")
PROBE_SECONDS_MOST = 24 * 3600
MIDDLEWARE_ORDER = (
    "RequestIdMiddleware",
    "SecurityHeadersMiddleware",
    "SessionMiddleware",
    "AuthenticationMiddleware",
    "FetchMetadataMiddleware",
    "FreshTokensMiddleware",
    "LoginRequiredMiddleware",
    "CognitoErrorMiddleware",
)


@register(Tags.security)
def check_token_keys(**_: Any) -> list[CheckMessage]:
    """Check that there is a key to encrypt tokens with and that every key is one."""
    if not settings.TOKEN_ENCRYPTION_KEYS:
        hint = "Run `manage.py generate_key` and put what it prints into TOKEN_ENCRYPTION_KEYS."
        return [Error("TOKEN_ENCRYPTION_KEYS is empty.", hint=hint, id="accounts.E001")]
    for key in settings.TOKEN_ENCRYPTION_KEYS:
        try:
            key_bytes(key)
        except ValueError as error:
            return [Error("TOKEN_ENCRYPTION_KEYS holds something that is no key.", hint=str(error), id="accounts.E002")]
    return []


@register(Tags.security)
def check_user_pool(**_: Any) -> list[CheckMessage]:
    """Check that the user pool's settings belong together."""
    try:
        config = user_pool_config()
    except ValueError as error:
        hint = "Copy it from the outputs of deploy/user-pool.yaml, or run `manage.py deploy_user_pool`."
        return [Error(str(error), hint=hint, id="accounts.E003")]
    messages: list[CheckMessage] = []
    for name, value in (("COGNITO_CLIENT_ID", config.client_id), ("COGNITO_DOMAIN", config.domain)):
        if not value:
            hint = "Copy it from the outputs of deploy/user-pool.yaml, or run `manage.py deploy_user_pool`."
            messages.append(Error(f"{name} is empty.", hint=hint, id="accounts.E004"))
    for name in ADDRESSES:
        value = getattr(settings, name)
        if value and urlsplit(value).scheme not in ("http", "https"):
            hint = "Write it as https://example.auth.eu-central-1.amazoncognito.com: with the scheme."
            messages.append(Error(f"{name} is {value!r}.", hint=hint, id="accounts.E011"))
    return messages + _check_scopes(config.scopes)


def _check_scopes(scopes: tuple[str, ...]) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if "openid" not in scopes:
        hint = "Add it, and allow it on the app client: without it there is no ID token, and nobody can sign in."
        messages.append(Error("COGNITO_SCOPES lacks 'openid'.", hint=hint, id="accounts.E005"))
    if API_SCOPE not in scopes:
        hint = (
            "Without it there is no profile, no probe (somebody disabled in Cognito stays in until the next refresh) "
            "and no global sign-out. Add it, allow it on the app client, and have people sign in again."
        )
        messages.append(Warning(f"COGNITO_SCOPES lacks {API_SCOPE!r}.", hint=hint, id="accounts.W005"))
    return messages


@register(Tags.security)
def check_calls(**_: Any) -> list[CheckMessage]:
    """Check that Cognito is asked as often as what depends on it needs, and operators when they should be."""
    messages: list[CheckMessage] = []
    if settings.COGNITO_CALLS_AT_ONCE < 1:
        hint = "Set it to 1 or more; 8 is the default."
        messages.append(Error("COGNITO_CALLS_AT_ONCE allows no call at all.", hint=hint, id="accounts.E015"))
    if settings.COGNITO_REAUTHENTICATE_SECONDS and settings.COGNITO_REAUTHENTICATE_SECONDS < 60:
        hint = "Set it to minutes, or to 0 to ask nobody: people sign in, go back and write a reason within it."
        messages.append(Error("COGNITO_REAUTHENTICATE_SECONDS is too short.", hint=hint, id="accounts.E020"))
    if settings.COGNITO_PROBE_RATE < 1:
        hint = (
            "Set it to 1 or more; 30 is the default. Without probes somebody disabled stays in until the next refresh."
        )
        messages.append(Error("COGNITO_PROBE_RATE allows no probe at all.", hint=hint, id="accounts.E028"))
    if not 1 <= settings.COGNITO_PROBE_SECONDS <= PROBE_SECONDS_MOST:
        hint = (
            f"Set it from 1 to {PROBE_SECONDS_MOST}, a day; 60 is the default. Somebody disabled stays in for so long."
        )
        messages.append(Error("COGNITO_PROBE_SECONDS is no sensible time.", hint=hint, id="accounts.E029"))
    return messages


@register(Tags.security)
def check_groups(**_: Any) -> list[CheckMessage]:
    """Check that every operators' group has a name that Cognito's groups can have."""
    groups = [*settings.COGNITO_STAFF_GROUPS, *settings.COGNITO_VIEWER_GROUPS]
    if all(name and not re.search(r"\s", name) for name in groups):
        return []
    hint = "Separate the names by commas alone: no group of Cognito's has a space in its name, or no name."
    what = "COGNITO_STAFF_GROUPS or COGNITO_VIEWER_GROUPS has an empty name, or one with a space."
    return [Error(what, hint=hint, id="accounts.E030")]


@register(Tags.security)
def check_sessions(**_: Any) -> list[CheckMessage]:
    """Check that sessions are ours, and that their cookie comes back from the hosted UI."""
    messages: list[CheckMessage] = []
    if settings.SESSION_ENGINE != "accounts.sessions":
        hint = "Set SESSION_ENGINE = 'accounts.sessions': tokens live in its rows."
        messages.append(Error("SESSION_ENGINE is not accounts.sessions.", hint=hint, id="accounts.E006"))
    if settings.SESSION_COOKIE_SAMESITE != "Lax":
        hint = "Set it to 'Lax': Strict keeps it from people who come back from the hosted UI, less lets others use it."
        what = f"SESSION_COOKIE_SAMESITE is {settings.SESSION_COOKIE_SAMESITE!r}."
        messages.append(Error(what, hint=hint, id="accounts.E007"))
    for name in LIMITS:
        if Session.SEEN_EVERY.total_seconds() >= getattr(settings, name):
            hint = "Set it well above 60: last seen is noted once a minute, and the idle limit counts from there."
            messages.append(Error(f"{name} signs people out while they work.", hint=hint, id="accounts.E010"))
    if settings.SESSION_MAX_PER_PERSON < 1:
        hint = "Set it to 1 or more; 20 is the default."
        messages.append(Error("SESSION_MAX_PER_PERSON lets nobody sign in.", hint=hint, id="accounts.E009"))
    site = urlsplit(settings.SITE_URL)
    if site.scheme not in ("http", "https") or not site.hostname or site.path or site.query or site.fragment:
        hint = "Write it as https://app.example.com: scheme and host, no slash at the end."
        messages.append(Error(f"SITE_URL is {settings.SITE_URL!r}.", hint=hint, id="accounts.E008"))
    return messages


@register(Tags.security)
def check_proxies(**_: Any) -> list[CheckMessage]:
    """Check that every trusted proxy is a network."""
    messages: list[CheckMessage] = []
    for network in settings.TRUSTED_PROXIES:
        try:
            ip_network(network)
        except ValueError as error:
            hint = "Write addresses or networks, such as 10.0.0.0/8, without bits beyond the mask."
            messages.append(Error(f"TRUSTED_PROXIES: {error}.", hint=hint, id="accounts.E012"))
    return messages


@register(Tags.security)
def check_wiring(**_: Any) -> list[CheckMessage]:
    """Check that Django uses the backend and the middleware that sign-in is made of."""
    messages: list[CheckMessage] = []
    if "accounts.backends.CognitoBackend" not in settings.AUTHENTICATION_BACKENDS:
        hint = "Add 'accounts.backends.CognitoBackend': without it nobody is anybody."
        messages.append(Error("AUTHENTICATION_BACKENDS lacks ours.", hint=hint, id="accounts.E013"))
    names = [path.rpartition(".")[2] for path in settings.MIDDLEWARE if path.startswith("accounts.middleware.")]
    if [name for name in names if name in MIDDLEWARE_ORDER] != list(MIDDLEWARE_ORDER):
        hint = f"List them in this order, after CsrfViewMiddleware for the last five: {', '.join(MIDDLEWARE_ORDER)}."
        messages.append(Error("MIDDLEWARE lacks some of accounts.middleware.", hint=hint, id="accounts.E014"))
    return messages
