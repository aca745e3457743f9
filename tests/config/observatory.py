"""What Mozilla's HTTP Observatory makes of a site: the rules of its scoring that can apply to one that uses https.

https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Any

import requests

SIX_MONTHS = 15_768_000
GRADES = ((100, "A+"), (90, "A"), (85, "A-"), (80, "B+"), (70, "B"), (0, "C or worse"))
# Below this, what is done better than needed does not make up for what is missing.
LEAST_FOR_CREDIT = 90
BROAD = {"*", "http:", "https:", "ftp:", "http://*", "https://*"}
PRIVATE_REFERRERS = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


@dataclass(frozen=True, slots=True)
class Visit:
    """The first answer over http, the page over https, and every cookie set on the way."""

    http: requests.Response
    page: requests.Response
    set_cookies: list[str]


def grade(visit: Visit) -> str:
    points = [score(visit) for score in SCORES]
    without_credit = 100 + sum(point for point in points if point < 0)
    total = without_credit + (sum(point for point in points if point > 0) if without_credit >= LEAST_FOR_CREDIT else 0)
    return next(name for least, name in GRADES if total >= least)


def policy(response: requests.Response) -> dict[str, set[str]]:
    """Return the directives of the content security policy, each with its sources."""
    text = response.headers.get("Content-Security-Policy", "")
    directives = [directive.split() for directive in text.split(";") if directive.strip()]
    return {name: set(sources) for name, *sources in directives}


def content_security_policy(visit: Visit) -> int:
    directives = policy(visit.page)
    if not directives:
        return -25
    default = directives.get("default-src", {"*"})
    scripts, styles, objects = (directives.get(name, default) for name in ("script-src", "style-src", "object-src"))
    if scripts & (BROAD | {"'unsafe-inline'", "data:"}) or objects & BROAD:
        return -20
    fetched = [source for name, sources in directives.items() if name != "report-uri" for source in sources]
    if any(source.startswith(("http:", "ftp:")) for source in fetched):
        return -20
    if "'unsafe-eval'" in scripts | styles:
        return -10
    if styles & (BROAD | {"'unsafe-inline'", "data:"}):
        return 0
    return 10 if default == {"'none'"} else 5


def cookies(visit: Visit) -> int:
    morsels: list[Morsel[Any]] = [morsel for line in visit.set_cookies for morsel in SimpleCookie(line).values()]
    if any(not morsel["secure"] for morsel in morsels):
        return -40
    if any(not morsel["httponly"] for morsel in morsels if "sess" in morsel.key.lower()):
        return -30
    if any("csrf" in morsel.key.lower() and not morsel["samesite"] for morsel in morsels):
        return -20
    return 5 if morsels and all(morsel["samesite"] in ("Lax", "Strict") for morsel in morsels) else 0


def cross_origin_sharing(visit: Visit) -> int:
    return -50 if "Access-Control-Allow-Origin" in visit.page.headers else 0


def redirection(visit: Visit) -> int:
    """Ask for https first, on the same host: only there HSTS is heard."""
    location = visit.http.headers.get("Location", "")
    if not location.startswith("https://"):
        return -20
    return 0 if location.startswith(f"https://{visit.http.request.headers['Host']}/") else -5


def referrer_policy(visit: Visit) -> int:
    value = visit.page.headers.get("Referrer-Policy")
    return 0 if value is None else 5 if value in PRIVATE_REFERRERS else -5


def strict_transport_security(visit: Visit) -> int:
    age = re.match(r"max-age=(\d+)", visit.page.headers.get("Strict-Transport-Security", ""))
    return -20 if age is None else -10 if int(age[1]) < SIX_MONTHS else 0


def subresource_integrity(visit: Visit) -> int:
    sources = re.findall(r"<script[^>]*\bsrc=\"([^\"]+)\"", visit.page.text)
    return -5 if any("//" in source for source in sources) else 0


def content_type_options(visit: Visit) -> int:
    return 0 if visit.page.headers.get("X-Content-Type-Options") == "nosniff" else -5


def framing(visit: Visit) -> int:
    if not policy(visit.page).get("frame-ancestors", {"*"}) & BROAD:
        return 5
    return 0 if visit.page.headers.get("X-Frame-Options") in ("DENY", "SAMEORIGIN") else -20


def cross_origin_resources(visit: Visit) -> int:
    return 10 if visit.page.headers.get("Cross-Origin-Resource-Policy") in ("same-origin", "same-site") else 0


SCORES: tuple[Callable[[Visit], int], ...] = (
    *(content_security_policy, cookies, cross_origin_sharing, redirection, referrer_policy),
    *(strict_transport_security, subresource_integrity, content_type_options, framing, cross_origin_resources),
)
