"""What every request passes. Each middleware sets one attribute; the rules are in the modules it calls."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware as DjangoAuthenticationMiddleware
from django.contrib.auth.middleware import LoginRequiredMiddleware as DjangoLoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.functional import SimpleLazyObject

from accounts.admission import admit
from accounts.cognito.errors import CognitoError, ProviderUnavailableError, RefusedError
from accounts.encryption import SealedDataError, UnknownKeyError
from accounts.ending import SessionEndedError, end_session
from accounts.error_pages import (
    ended_response,
    error_response,
    login_url,
    method_not_allowed_response,
    problem_response,
)
from accounts.fetch_metadata import is_welcome
from accounts.http import GatehouseRequest, comes_from_trusted_proxy, is_in_background, set_session, wants_json
from accounts.kept_form import keep, read_form, remembered_page
from accounts.log import request_id_in_log
from accounts.models import EndedSession, EndReason, Session
from accounts.problems import CROSS_SITE
from accounts.refresh import settle_doubt
from accounts.security_headers import callback_path, security_headers
from accounts.sessions import SessionStore

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")


class RequestIdMiddleware:
    """Sets `request.id`: the X-Request-ID of a trusted proxy if it looks like one, else a new one.

    Anybody else could write what they like into the audit trail, or use one id for all they do.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: GatehouseRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        is_good = REQUEST_ID.fullmatch(given) and comes_from_trusted_proxy(request)
        request.id = given if is_good else secrets.token_hex(16)
        with request_id_in_log(request.id):
            response = self.get_response(request)
        response["X-Request-ID"] = request.id
        return response


class SecurityHeadersMiddleware:
    """Sets the headers of `accounts.security_headers` on every response that has not set them itself.

    Put it, with the other middleware that sets headers, before whatever answers by itself.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in security_headers().items():
            response.headers.setdefault(name, value)
        if request.path == callback_path():
            # What its pages load is asked for with a Referer, which proxies log: without the query, where the code is.
            response.headers["Referrer-Policy"] = "strict-origin"
        return response


class SessionMiddleware(DjangoSessionMiddleware):
    """Sets `request.session`; a session that ended while its request was under way is explained, not a bad request."""

    def process_response(self, request: Any, response: HttpResponse) -> HttpResponse:
        """Save the session. If its row is gone, answer with the page that says why."""
        try:
            return super().process_response(request, response)
        except SessionInterrupted:
            ended = EndedSession.objects.filter(key_digest=request.session.key_digest).first()
            leave(request, SessionEndedError(ended))
            return super().process_response(request, ended_response(request))


class AuthenticationMiddleware(DjangoAuthenticationMiddleware):
    """Sets `request.user` from the session row, which was read together with its user."""

    def process_request(self, request: HttpRequest) -> None:
        if not isinstance(getattr(request, "session", None), SessionStore):
            raise ImproperlyConfigured(
                "accounts needs its own sessions: set SESSION_ENGINE to 'accounts.sessions' and put "
                "'accounts.middleware.SessionMiddleware' before 'accounts.middleware."
                "AuthenticationMiddleware' in MIDDLEWARE."
            )
        request.user = SimpleLazyObject(lambda: _user_of(request))  # type: ignore[assignment]
        request.auser = _async_user(request)


def _user_of(request: Any) -> Any:
    row = request.session.row
    return row.user if row is not None and row.user_id is not None else AnonymousUser()


def _async_user(request: Any) -> Callable[[], Any]:
    async def auser() -> Any:
        from asgiref.sync import sync_to_async

        return await sync_to_async(_user_of)(request)

    return auser


class FetchMetadataMiddleware:
    """Refuses what another site sends or embeds, before anything is done for the session."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        _require(request, "user", "accounts.middleware.AuthenticationMiddleware", before=self)
        site, mode, dest = (request.META.get(f"HTTP_SEC_FETCH_{name}", "") for name in ("SITE", "MODE", "DEST"))
        # A browser may send its reports on behalf of no page at all.
        if is_welcome(request.method, site=site, mode=mode, dest=dest) or request.path == reverse("csp_report"):
            return self.get_response(request)
        logger.warning("Refused a %s request: %s", ascii(site)[:40], request.method)
        return problem_response(request, CROSS_SITE)


class FreshTokensMiddleware:
    """Sets `request.token_set`: None, or the session's decrypted tokens, refreshed when due.

    `request.session_row` is the row they came from, and `request.user` now the person of that very row. A session that
    must not go on ends here; then `request.ended_session` says why, and the request is nobody's.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        _require(request, "user", "accounts.middleware.AuthenticationMiddleware", before=self)
        request.ended_session = None
        try:
            row = admit(request.session, timezone.now(), is_in_background=is_in_background(request))
            set_session(request, row)
        except SessionEndedError as error:
            leave(request, error)
        return self.get_response(request)


class CognitoErrorMiddleware:
    """Turns the errors of `accounts.cognito`, and empty refusals of a method, into pages.

    It also keeps private pages out of every cache.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        _require(request, "session_row", "accounts.middleware.FreshTokensMiddleware", before=self)
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            response = method_not_allowed_response(request, response)
        if request.session_row is not None:
            patch_cache_control(response, private=True, no_store=True)
        return response

    def process_exception(self, request: Any, exception: Exception) -> HttpResponse | None:
        try:
            error = _second_look(request.session_row, exception)
        except SessionEndedError as ended:
            leave(request, ended)
            return ended_response(request)
        return error_response(request, error) if isinstance(error, CognitoError | UnknownKeyError) else None


def _second_look(row: Session | None, error: Exception) -> Exception:
    """Return what went wrong in a view, for the page. Raise SessionEndedError if the session cannot go on."""
    if isinstance(error, SessionEndedError):
        raise error
    if row is not None and isinstance(error, SealedDataError):
        logger.error("The tokens of session %s are damaged", row.public_id)
        raise SessionEndedError(end_session(row, EndReason.UNREADABLE, now=timezone.now())) from error
    if row is not None and isinstance(error, RefusedError):
        settle_doubt(row, error, timezone.now())
        return ProviderUnavailableError("the tokens were refused and have been replaced", retry_after=1)
    return error


class LoginRequiredMiddleware(DjangoLoginRequiredMiddleware):
    """Asks for a login: pages by redirect, JSON by 401, and after a session's end by saying why it ended."""

    def handle_no_permission(self, request: Any, view_func: Any) -> HttpResponse:  # type: ignore[override]
        _require(request, "ended_session", "accounts.middleware.FreshTokensMiddleware", before=self)
        if request.ended_session is not None:
            form = read_form(request)
            kept = keep(request, form, request.ended_session, timezone.now()) if form else None
            return ended_response(request, form=form, kept=kept)
        if wants_json(request):
            return JsonResponse({"error": "login_required"}, status=401)
        if request.headers.get("HX-Request"):
            # A script cannot follow the redirect to the hosted UI; what it gets here it shows instead of the page.
            return ended_response(request)
        if request.method not in ("GET", "HEAD"):
            # Where a form was sent to, nobody can go back to; but it may be one that was kept, sent by a reload.
            return HttpResponseRedirect(login_url(remembered_page(request)))
        return super().handle_no_permission(request, view_func)


def _require(request: Any, attribute: str, middleware: str, *, before: object) -> None:
    if not hasattr(request, attribute):
        here = f"{type(before).__module__}.{type(before).__qualname__}"
        raise ImproperlyConfigured(f"Put {middleware!r} before {here!r} in MIDDLEWARE.")


def leave(request: Any, error: SessionEndedError) -> None:
    """Go on as nobody: the session of this request has ended."""
    request.session.forget()
    set_session(request, None)
    request.ended_session = error.ended
