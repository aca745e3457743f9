"""Errors to Sentry, for who sets SENTRY_DSN: what broke and where, and nothing of whose request it was."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from accounts.log import current_request_id, without_queries

# All that goes out: what a later version of the SDK adds stays here until somebody has looked at it.
KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk")
FRAME = ("filename", "module", "function", "lineno", "in_app", "pre_context", "context_line", "post_context")


def start(dsn: str) -> None:
    """Send unhandled errors, and what is logged at level ERROR. Raise ImproperlyConfigured without sentry-sdk."""
    try:
        import sentry_sdk
        from sentry_sdk.integrations.django import DjangoIntegration
    except ImportError as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, but sentry-sdk is not installed: pip install -r requirements-observability.txt"
        ) from error
    sentry_sdk.init(
        dsn=dsn,
        integrations=[DjangoIntegration()],
        auto_enabling_integrations=False,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        before_send=scrubbed,
        before_send_transaction=lambda event, hint: None,
    )


def scrubbed(event: Any, hint: Any) -> Any:
    """Return what may go out of an event: no query, header, cookie, body, user, argument or local variable."""
    kept = {name: event[name] for name in KEPT if name in event}
    logged = event.get("logentry", {})
    if text := logged.get("formatted") or logged.get("message") or event.get("message"):
        kept["logentry"] = {"formatted": without_queries(str(text))}
    request = event.get("request", {})
    if "url" in request:
        kept["request"] = {"method": request.get("method"), "url": request["url"].partition("?")[0]}
    if errors := event.get("exception", {}).get("values"):
        kept["exception"] = {"values": [_error(error) for error in errors]}
    return kept | {"tags": {"request_id": current_request_id() or "-"}}


def _error(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "value": without_queries(str(error.get("value"))),
        "stacktrace": {"frames": [{name: frame.get(name) for name in FRAME} for frame in frames]},
    }
