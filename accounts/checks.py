"""Configuration that would fail later, and worse, is refused at start-up."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from accounts.cognito.user_pool import API_SCOPE
from accounts.conf import user_pool_config
from accounts.encryption import parse_key


@register(Tags.security)
def check_token_keys(**_: Any) -> list[CheckMessage]:
    """Check that there is a key to encrypt tokens with and that every key is one."""
    if not settings.TOKEN_ENCRYPTION_KEYS:
        hint = "Run `manage.py generate_key` and put what it prints into TOKEN_ENCRYPTION_KEYS."
        return [Error("TOKEN_ENCRYPTION_KEYS is empty.", hint=hint, id="accounts.E001")]
    for key in settings.TOKEN_ENCRYPTION_KEYS:
        try:
            parse_key(key)
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
    messages += [
        Error(
            f"COGNITO_SCOPES lacks {scope!r}.",
            hint="Without openid there is no ID token; without the admin scope there is no GetUser and no global "
            "sign-out. Add it, allow it on the app client, and have people sign in again.",
            id="accounts.E005",
        )
        for scope in ("openid", API_SCOPE)
        if scope not in config.scopes
    ]
    return messages


@register(Tags.security)
def check_sessions(**_: Any) -> list[CheckMessage]:
    """Check that sessions are ours, and that their cookie comes back from the hosted UI."""
    messages: list[CheckMessage] = []
    if settings.SESSION_ENGINE != "accounts.sessions":
        hint = "Set SESSION_ENGINE = 'accounts.sessions': tokens live in its rows."
        messages.append(Error("SESSION_ENGINE is not accounts.sessions.", hint=hint, id="accounts.E006"))
    if settings.SESSION_COOKIE_SAMESITE == "Strict":
        hint = "Set SESSION_COOKIE_SAMESITE = 'Lax': people come back from the hosted UI by a cross-site navigation."
        messages.append(Error("SESSION_COOKIE_SAMESITE is Strict.", hint=hint, id="accounts.E007"))
    if settings.SESSION_MAX_PER_PERSON < 1:
        hint = "Set it to 1 or more; 20 is the default."
        messages.append(Error("SESSION_MAX_PER_PERSON lets nobody sign in.", hint=hint, id="accounts.E009"))
    if settings.SITE_URL.endswith("/") or "://" not in settings.SITE_URL:
        hint = "Write it as https://app.example.com: scheme and host, no slash at the end."
        messages.append(Error(f"SITE_URL is {settings.SITE_URL!r}.", hint=hint, id="accounts.E008"))
    return messages
