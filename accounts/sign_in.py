"""Sign-in, from the redirect to the hosted UI to the new session."""

from __future__ import annotations

import logging
import re
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language

from accounts.cognito import oidc
from accounts.cognito.errors import CognitoError, StateMismatchError
from accounts.cognito.tokens import VerifiedTokens
from accounts.conf import brisk_user_pool, callback_uri, token_endpoint_breaker, token_verifier, user_pool_config
from accounts.ending import end_session, end_surplus
from accounts.http import client_address
from accounts.models import AuthorizationRequest, EndReason, Event, Session, User
from accounts.models.authorization import PendingSignIn
from accounts.models.session import idle_end
from accounts.user_agent import describe

logger = logging.getLogger(__name__)

BROWSER_COOKIE = "gatehouse_browser"
BROWSER_VALUE = re.compile(r"[0-9A-Za-z_-]{43}")
NEXT_MAX_LENGTH = 2000
# Django refuses to redirect to more than 16 kB, and this may stand in the query of another address.
SENT_MAX_LENGTH = 16_000


class AccountDisabledError(Exception):
    """Cognito let the person in, but their account is disabled in this application."""


def begin(request: Any, *, next_url: str, hints: dict[str, str], sign_out_first: bool = False) -> HttpResponse:
    """Redirect to the hosted UI with a fresh authorization request, remembered for this browser.

    The hosted UI is asked to speak this site's language, unless `hints` names another.

    `sign_out_first` has the hosted UI forget who is signed in there.
    """
    browser = _browser_of(request) or secrets.token_urlsafe(32)
    hints = oidc.language_hint(get_language() or "") | hints
    authorization = oidc.authorization_request(
        user_pool_config(), redirect_uri=callback_uri(), hints=hints, sign_out_first=sign_out_first
    )
    AuthorizationRequest.objects.remember(authorization, browser=browser, next_url=next_url, now=timezone.now())
    response = HttpResponseRedirect(authorization.url)
    set_cookie(response, BROWSER_COOKIE, browser)
    return response


def take_pending(request: Any) -> PendingSignIn:
    """Return what this response is checked against, looking at its `state` and nothing else.

    Raise StateMismatchError: `no_browser` without the cookie set by `begin`, `other_browser`, `unknown_state`.
    """
    browser = _browser_of(request)
    if not browser:
        raise StateMismatchError("no_browser")
    return AuthorizationRequest.objects.take(_state_of(request), browser=browser, now=timezone.now())


def forget_pending(response: HttpResponse) -> None:
    """Have the browser forget which sign-ins were begun in it: no answer to one of them signs anybody in any more."""
    response.delete_cookie(cookie_name(BROWSER_COOKIE), samesite="Lax")


def intended_next(request: Any) -> str:
    """Return where the sign-in of a stale response was to lead, or the start page if that is forgotten."""
    known = AuthorizationRequest.objects.next_url(_state_of(request))
    return known or settings.LOGIN_REDIRECT_URL


def fetch_tokens(request: Any, *, nonce: str, code_verifier: str) -> VerifiedTokens:
    """Exchange the response's code for tokens and verify them. Raise CognitoError of one kind or another."""
    code = oidc.read_authorization_response(dict(request.GET.lists()))
    with token_endpoint_breaker().guard("exchange"):
        response = oidc.exchange_code(
            user_pool_config(), code=code, code_verifier=code_verifier, redirect_uri=callback_uri()
        )
    try:
        return token_verifier().verify_sign_in(response, nonce=nonce, now=timezone.now())
    except CognitoError:
        _discard(response.refresh_token)
        raise


def open_session(request: Any, tokens: VerifiedTokens) -> Session:
    """Sign the person in under a new session key; of the browser's earlier session nothing is left.

    Raise AccountDisabledError if the person's account is disabled here.
    """
    user = authenticate(request, tokens=tokens)
    if not isinstance(user, User):
        _discard(tokens.token_set.refresh_token)
        raise AccountDisabledError
    now = timezone.now()
    earlier = request.session.row
    if earlier is not None:
        end_session(earlier, EndReason.REPLACED, now=now)
    request.session.forget()
    with transaction.atomic():
        login(request, user)
        row: Session = request.session.row
        row.receive(tokens, now, **_circumstances(request, user))
        Event.objects.record(Event.Kind.SIGNED_IN, row, now=now)
    end_surplus(user, now)
    return row


def _discard(refresh_token: str | None) -> None:
    """Revoke the refresh token of a sign-in that came to nothing; it was never kept, so it is tried once."""
    try:
        if refresh_token is not None:
            brisk_user_pool().revoke(refresh_token)
    except CognitoError as error:
        logger.warning("The refresh token of a refused sign-in could not be revoked: %s", error)


def _circumstances(request: Any, user: User) -> dict[str, Any]:
    """Return the columns that say whose session it is, where it was opened and when it must end (UTC)."""
    now = timezone.now()
    # The refresh token's life is absolute too: rotation does not extend it.
    longest = min(settings.SESSION_ABSOLUTE_SECONDS, settings.COGNITO_REFRESH_TOKEN_SECONDS)
    ends_at = now + timedelta(seconds=longest)
    browser, system = describe(request.headers.get("User-Agent", ""))
    return {
        "user": user,
        "ip_address": client_address(request),
        "browser": browser,
        "system": system,
        "ends_at": ends_at,
        "expire_date": idle_end(now, ends_at),
    }


def safe_next(request: Any, url: str) -> str:
    """Return `url` if it leads to a page of this site over a scheme no weaker than ours, else the start page."""
    # A redirect sends it encoded: that may be twelve times as long, and name a host that there cannot be.
    sent = iri_to_uri(url)
    is_safe = all(
        url_has_allowed_host_and_scheme(each, allowed_hosts={request.get_host()}, require_https=request.is_secure())
        for each in (url, sent[:NEXT_MAX_LENGTH])
    )
    # "nowhere" is safe and leads somewhere else on every page; "//" leads nowhere at all.
    is_absolute = url.startswith(("/", "http://", "https://")) and not url.startswith("//")
    fits = len(url) <= NEXT_MAX_LENGTH and len(sent) <= SENT_MAX_LENGTH
    return url if is_safe and is_absolute and fits else settings.LOGIN_REDIRECT_URL


def cookie_name(name: str) -> str:
    """Return the cookie's name, with the prefix that pins it to this host wherever https allows that."""
    return f"__Host-{name}" if settings.SESSION_COOKIE_SECURE else name


def set_cookie(
    response: HttpResponse, name: str, value: str, *, max_age: int | None = None, signed: bool = False
) -> None:
    """Set a cookie of the sign-in flow: for this host only, out of reach for scripts; `max_age` in seconds."""
    # Lax, not Strict: the authorization response comes back as a top-level navigation from another site.
    flags: dict[str, Any] = {"httponly": True, "samesite": "Lax", "secure": settings.SESSION_COOKIE_SECURE}
    if signed:
        response.set_signed_cookie(cookie_name(name), value, salt=name, max_age=max_age, **flags)
    else:
        response.set_cookie(cookie_name(name), value, max_age=max_age, **flags)


def _state_of(request: Any) -> str:
    """Return the response's one `state`; none or several are as good as an unknown one (RFC 6749 section 3.1)."""
    states = request.GET.getlist("state")
    return states[0] if len(states) == 1 else ""


def _browser_of(request: Any) -> str:
    value = request.COOKIES.get(cookie_name(BROWSER_COOKIE), "")
    return value if BROWSER_VALUE.fullmatch(value) else ""
