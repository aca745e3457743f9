"""Types and small facts of requests that have passed the middleware."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.functional import SimpleLazyObject

from accounts.cognito.tokens import TokenSet
from accounts.log import name_session
from accounts.models import EndedSession, Session, User
from accounts.sessions import SessionStore

if TYPE_CHECKING:

    class GatehouseRequest(HttpRequest):
        """A request as every view gets it."""

        id: str
        session: SessionStore
        ended_session: EndedSession | None
        session_row: Session | None
        token_set: TokenSet | None

    class SignedInRequest(HttpRequest):
        """A request as views get it that need a login."""

        id: str
        session: SessionStore
        user: User
        session_row: Session
        token_set: TokenSet
else:
    GatehouseRequest = SignedInRequest = HttpRequest

# More than any address of a page has: a stranger's may have thousands.
MOST_SEGMENTS = 10


def set_session(request: Any, row: Session | None) -> None:
    """Set what views know of their session: `request.session_row`, its person as `request.user`, `request.token_set`.

    Tokens are decrypted when used. The person is no lazy object: each look at one costs more than setting this.
    """
    request.session_row = row
    request.user = AnonymousUser() if row is None else row.person
    request.token_set = None if row is None else SimpleLazyObject(row.token_set)
    if row is not None:
        request.session.row = row
        name_session(row.public_id)


def client_address(request: HttpRequest) -> str | None:
    """Return the address of the browser: the last one in X-Forwarded-For that is no trusted proxy of ours.

    TRUSTED_PROXIES lists the networks whose word is believed; without them it is the peer's address. What the
    header says beyond the first untrusted address was written by a stranger. If there is none, or something that is no
    address, it is the farthest proxy that was told of: whoever comes by it has limits, and a trail, all the same.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    farthest = None
    for text in [request.META.get("REMOTE_ADDR", ""), *reversed(forwarded)]:
        address = _parse(text)
        if address is None:
            break
        farthest = str(address)
        if not _is_trusted(address):
            break
    return farthest


def comes_from_trusted_proxy(request: HttpRequest) -> bool:
    """Tell whether the peer is a proxy of ours, whose other headers are believed as well."""
    peer = _parse(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and _is_trusted(peer)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        # A zone, as in fe80::1%eth0, means something on the proxy only.
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    return any(address in ip_network(network) for network in settings.TRUSTED_PROXIES)


def wants_json(request: HttpRequest) -> bool:
    """Tell whether the client asked for JSON rather than a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def is_in_background(request: HttpRequest) -> bool:
    """Tell whether a page or a browser asked by itself, with nobody doing anything.

    Of a page it is what the client says, and costs only the client: such a request does not keep its session alive.
    """
    if request.META.get("HTTP_X_BACKGROUND") == "true":
        return True
    # Browsers send reports with the session's cookie.
    return request.method == "POST" and request.path == reverse("csp_report")


def this_page(request: HttpRequest) -> str:
    """Return this page's address if going there again makes sense, else that of the page it belongs to.

    Nobody can go back to where a form was sent. An authorization response is good once, and its code belongs on no
    page.
    """
    is_page = request.method in ("GET", "HEAD") and request.path != reverse("callback")
    return request.get_full_path() if is_page else page_above(request.path)


def page_above(path: str) -> str:
    """Return the address of the page that a form sent to `path` is on: the nearest one above it, or the start page."""
    segments = path.strip("/").split("/")[:-1]
    for depth in range(min(len(segments), MOST_SEGMENTS), 0, -1):
        above = f"/{'/'.join(segments[:depth])}/"
        with suppress(Resolver404):
            resolve(above)
            return above
    return settings.LOGIN_REDIRECT_URL
