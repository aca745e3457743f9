"""How this process and its neighbours are, and what they are set to; without a call to AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts import budget, measuring
from accounts.cognito.verifier import LEEWAY
from accounts.conf import api_breaker, cognito_clock, token_endpoint_breaker, token_verifier, user_pool_config
from accounts.http import SignedInRequest
from dashboard.console import measures
from dashboard.console.access import viewers_only
from dashboard.console.background import background

SECRETS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "TOKEN_ENCRYPTION_KEYS", "COGNITO_CLIENT_SECRET")


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: of time in seconds, or of a number of things."""

    name: str
    meaning: str | Promise
    value: int


@viewers_only
@require_GET
def health(request: SignedInRequest) -> HttpResponse:
    """Show what an operator would otherwise have to log in to a host for."""
    now = timezone.now()
    keys = token_verifier().keys
    clock = cognito_clock().reading
    context = {
        "clock": clock,
        "clock_seconds": abs(round(clock.ahead.total_seconds())) if clock else 0,
        "clock_is_wrong": clock is not None and abs(clock.ahead) > LEEWAY,
        "calls": measures.calls(),
        "quotas": measures.quotas(),
        "is_of_this_process_only": measuring.is_of_this_process_only(),
        "keys_fetched_at": keys.fetched_at,
        "keys_are_old": keys.is_old(now),
        "breakers": [
            (_("cognito-idp API"), api_breaker()),
            (_("Token endpoint"), token_endpoint_breaker()),
        ],
        "work": background(now),
        "configuration": list(_configuration()),
        "secrets": [(name, _how_many(getattr(settings, name))) for name in SECRETS],
        "limits": list(_limits()),
        "now": now,
    }
    return render(request, "console/health.html", context)


def _configuration() -> Iterator[tuple[str, str]]:
    """Yield settings that are no secret, with the addresses that derive from them."""
    config = user_pool_config()
    yield "SITE_URL", settings.SITE_URL
    yield "COGNITO_USER_POOL_ID", config.user_pool_id
    yield "COGNITO_CLIENT_ID", config.client_id
    yield "COGNITO_DOMAIN", config.domain
    yield "COGNITO_ISSUER", config.issuer
    yield "COGNITO_JWKS_URL", config.jwks_url
    yield "COGNITO_ENDPOINT_URL", config.endpoint_url
    yield "COGNITO_SCOPES", " ".join(config.scopes)
    yield "COGNITO_STAFF_GROUPS", ", ".join(settings.COGNITO_STAFF_GROUPS)
    yield "COGNITO_VIEWER_GROUPS", ", ".join(settings.COGNITO_VIEWER_GROUPS)
    yield "TRUSTED_PROXIES", ", ".join(settings.TRUSTED_PROXIES)
    # Of these two only the kind: their addresses may hold passwords.
    yield "DATABASE_URL", settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    yield "CACHE_URL", settings.CACHES["default"]["BACKEND"].rpartition(".")[2]


def _how_many(value: Any) -> int:
    return len(value) if isinstance(value, (list, tuple)) else int(bool(value))


def _limits() -> Iterator[Limit]:
    yield Limit(
        "SESSION_IDLE_SECONDS", _("seconds without a request, then a session ends"), settings.SESSION_IDLE_SECONDS
    )
    yield Limit("SESSION_ABSOLUTE_SECONDS", _("seconds a session lasts at most"), settings.SESSION_ABSOLUTE_SECONDS)
    yield Limit("SESSION_MAX_PER_PERSON", _("sessions of one person; the oldest ends"), settings.SESSION_MAX_PER_PERSON)
    yield Limit(
        "COGNITO_REFRESH_TOKEN_SECONDS",
        _("seconds a refresh token lives, as the app client says"),
        settings.COGNITO_REFRESH_TOKEN_SECONDS,
    )
    yield Limit("COGNITO_PROBE_SECONDS", _("seconds between two probes of a session"), settings.COGNITO_PROBE_SECONDS)
    yield Limit("COGNITO_PROBE_RATE", _("probes a second, of all sessions together"), budget.probe_budget().per_second)
    yield Limit(
        "COGNITO_REAUTHENTICATE_SECONDS",
        _("seconds after a sign-in in which an operator may act; 0: any time"),
        settings.COGNITO_REAUTHENTICATE_SECONDS,
    )
    yield Limit("RevokeToken", _("calls a second, of all processes together"), budget.REVOKE.per_second)
    yield Limit("GlobalSignOut", _("calls a second, of all processes together"), budget.GLOBAL_SIGN_OUT.per_second)
