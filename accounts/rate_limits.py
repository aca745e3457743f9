"""How often one network address, and one person, may do what costs something.

The counts of each window of five minutes stand in Django's cache: shared by the fleet if the cache is, else per
process. A cache that is out of reach limits nobody: a limit keeps floods off, it decides about nobody's rights.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts import soft_cache
from accounts.error_pages import problem_response
from accounts.http import client_address
from accounts.problems import TOO_MANY_REQUESTS

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]

WINDOW_SECONDS = 300
# What one connection at home or one server is given: whoever has it has every address in it.
IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Requests of one kind in a window: for all who share an address, and for each person who is signed in."""

    name: str
    per_address: int
    per_person: int | None = None


# An office of three thousand behind one address signs in within a quarter of an hour.
SIGN_IN = RateLimit("sign-in", per_address=1000)
# Nobody who comes from the sign-in page fails, but for old bookmarks and expired links.
FAILED_CALLBACK = RateLimit("failed-callback", per_address=200)
# A front end may ask once a second; as many as an office holds may ask every ten seconds.
SESSION_API = RateLimit("session-api", per_address=100_000, per_person=300)
# Three times the sessions a person may have, in each window.
SIGN_OUT = RateLimit("sign-out", per_address=1000, per_person=60)
# In an incident an operator ends sessions one by one, once a second; for more there are the filters.
OPERATOR = RateLimit("operator", per_address=3000, per_person=300)
# A page that breaks the policy sends some reports each time it is opened; a sample of them will do.
CSP_REPORT = RateLimit("csp-report", per_address=300)


def limited(limit: RateLimit, *, methods: tuple[str, ...] = ("GET", "HEAD", "POST")) -> Callable[[View], View]:
    """Run the view as often as `limit` allows; beyond it answer 429 with Retry-After."""

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            seconds = spend(request, limit, timezone.now()) if request.method in methods else 0
            return _too_many(request, seconds) if seconds else view(request, *args, **kwargs)

        return counted

    return decorate


def failures_limited(limit: RateLimit) -> Callable[[View], View]:
    """Run a view that signs people in until it has failed as often as `limit` allows; beyond it answer 429.

    An outage is nobody's failure: what answers 500 or more is not counted.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            seconds = wait(request, limit, timezone.now())
            if seconds:
                return _too_many(request, seconds)
            response = view(request, *args, **kwargs)
            if response.status_code == HTTPStatus.BAD_REQUEST or (
                response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and not request.user.is_authenticated
            ):
                spend(request, limit, timezone.now())
            return response

        return counted

    return decorate


def spend(request: HttpRequest, limit: RateLimit, now: datetime) -> int:
    """Count this request; return 0, or how many seconds to wait if it is one too many."""
    return max((_count(limit, who, most, now) for who, most in _allowances(request, limit)), default=0)


def wait(request: HttpRequest, limit: RateLimit, now: datetime) -> int:
    """Return what `spend` would, without counting."""
    full = [who for who, most in _allowances(request, limit) if (soft_cache.get(_key(limit, who, now)) or 0) >= most]
    return _rest_of_window(now) if full else 0


def _too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    return problem_response(request, TOO_MANY_REQUESTS, retry_after=seconds)


def _allowances(request: Any, limit: RateLimit) -> Iterator[tuple[str, int]]:
    """Yield who is counted for this request, each with how many there may be."""
    if not settings.RATE_LIMIT_FACTOR:
        return
    network = _network(request)
    if network:
        yield network, round(limit.per_address * settings.RATE_LIMIT_FACTOR)
    if limit.per_person is not None and request.user.is_authenticated:
        yield f"person-{request.user.pk}", round(limit.per_person * settings.RATE_LIMIT_FACTOR)


def _network(request: HttpRequest) -> str:
    """Return the address that is counted; empty if there is none to believe, and then nobody pays for it."""
    text = client_address(request)
    if text is None:
        return ""
    address = ip_address(text)
    return str(ip_network((address, IPV6_PREFIX), strict=False)) if isinstance(address, IPv6Address) else text


def _count(limit: RateLimit, who: str, most: int, now: datetime) -> int:
    count = soft_cache.count(_key(limit, who, now), seconds=WINDOW_SECONDS)
    if count == most + 1:  # once in a window, however long the flood
        logger.warning("Rate limit %s: more than %d requests in %d s by %s", limit.name, most, WINDOW_SECONDS, who)
    return _rest_of_window(now) if count > most else 0


def _key(limit: RateLimit, who: str, now: datetime) -> str:
    return f"rate:{limit.name}:{who}:{int(now.timestamp()) // WINDOW_SECONDS}"


def _rest_of_window(now: datetime) -> int:
    return WINDOW_SECONDS - int(now.timestamp()) % WINDOW_SECONDS
