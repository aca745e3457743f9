"""What attackers have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.urls import URLPattern, get_resolver

from accounts.models import AuthorizationRequest, EndedSession, Event, KeptForm, Revocation, Session, User
from tests.conftest import Browser

PARAMETER = re.compile(r"<[^>]+>")
EVERYTHING = (Session, EndedSession, Event, KeptForm, Revocation, User, AuthorizationRequest)


def with_query(address: str, **changes: str | list[str]) -> str:
    """Return the path of an address with query parameters changed; an empty list takes one away."""
    parts = urlsplit(address)
    return f"{parts.path}?{urlencode(parse_qs(parts.query) | changes, doseq=True)}"


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def answered(browser: Browser, next_url: str = "/sessions/") -> str:
    """Return the address of an authorization response to a sign-in of this browser."""
    return browser.pool.authorize(browser.start_sign_in(next_url), browser.person)


def is_signed_in(browser: Any) -> bool:
    return bool(browser.get("/api/session/").status_code == 200)


def addresses(ids: list[Any]) -> Iterator[str]:
    """Yield every address of the app; where something is to be named, each of `ids` is."""
    for route in _routes(get_resolver().url_patterns):
        for each in ids if PARAMETER.search(route) else ids[:1]:
            yield f"/{PARAMETER.sub(str(each), route)}"


def _routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Yield the routes of a URL configuration; what a regular expression stands for is somebody else's to guess."""
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if not isinstance(pattern, URLPattern):
            yield from _routes(pattern.url_patterns, route)
        elif "^" not in route and "(?P" not in route:
            yield route


def everything(*but: type) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table of accounts, but for those of `but`."""
    # Every request of somebody signed in may say when they were last seen.
    moving = {"last_seen_at", "expire_date"}
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name not in moving}
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in EVERYTHING
        if model not in but
    }
