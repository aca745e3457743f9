"""From an error's type to the page a person sees: a plain cause, the next step, the request id."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.cognito import oidc
from accounts.cognito.errors import (
    AuthorizationResponseError,
    InvalidGrantError,
    InvalidTokenError,
    ProviderUnavailableError,
    StateMismatchError,
    ThrottledError,
    TokenClockError,
    TokenEndpointError,
    UserPoolError,
)
from accounts.conf import signed_out_uri, user_pool_config
from accounts.encryption import UnknownKeyError
from accounts.http import page_above, this_page, wants_json
from accounts.kept_form import Kept, page_of, remember
from accounts.models.kept_form import FormContent
from accounts.sign_in import AccountDisabledError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of page; `name` is stable, for logs and JSON. `ours` marks what an operator must mend."""

    name: str
    status: int
    title: str | Promise
    cause: str | Promise
    advice: str | Promise
    ours: bool = False


CANCELLED = Problem(
    "cancelled",
    200,
    _("Sign-in was cancelled"),
    _("You left the sign-in page before finishing, so nobody was signed in."),
    _("Start again whenever you like."),
)
EXPIRED_LINK = Problem(
    "expired_link",
    400,
    _("This sign-in link is no longer good"),
    _("A sign-in link works once and for fifteen minutes. This one was used before, or is too old."),
    _("Sign in again. It takes a new link by itself."),
)
OTHER_BROWSER = Problem(
    "other_browser",
    400,
    _("This sign-in was started somewhere else"),
    _("It began in another browser, or this browser did not keep the cookie that ties the two ends together."),
    _("Allow cookies for this site, then sign in again here."),
)
PROVIDER_REFUSED = Problem(
    "provider_refused",
    400,
    _("The sign-in page could not sign you in"),
    _("It reported a problem with this sign-in, perhaps with the company account you chose."),
    _("Try again, or choose another way to sign in. If it keeps happening, pass on the request id below."),
)
MISCONFIGURED = Problem(
    "misconfigured",
    500,
    _("Sign-in is not set up correctly"),
    _("This site and its sign-in service disagree about their settings. You did nothing wrong."),
    _("Trying again will not help. Tell the people who run this site, with the request id below."),
    ours=True,
)
CLOCK = Problem(
    "clock",
    500,
    _("The clocks disagree"),
    _("This server's clock differs from the sign-in service's, so it cannot tell whether your sign-in is current."),
    _("Try again in a minute. If it keeps happening, pass on the request id below."),
    ours=True,
)
TOKEN_REFUSED = Problem(
    "token_refused",
    400,
    _("This sign-in could not be verified"),
    _("What came back from the sign-in service did not pass our checks, so nobody was signed in."),
    _("Sign in again. If it keeps happening, pass on the request id below."),
    ours=True,
)
DISABLED = Problem(
    "disabled",
    403,
    _("Your account is disabled"),
    _("The sign-in service knows you, but your account on this site has been switched off."),
    _("Ask the people who run this site to switch it on again."),
)
BUSY = Problem(
    "busy",
    503,
    _("The sign-in service is busy"),
    _("Too many people are using it at the same time, and it asked us to wait."),
    _("Try again in a few seconds. You are not signed out."),
)
UNAVAILABLE = Problem(
    "unavailable",
    503,
    _("The sign-in service cannot be reached"),
    _("It did not answer in time. This usually passes quickly."),
    _("Try again in a few seconds. Nothing is lost."),
)

KEY_MISSING = Problem(
    "key_missing",
    503,
    _("This server cannot read your session"),
    _("It lacks a key that it needs for that. You are not signed out."),
    _("Try again in a moment. If it keeps happening, pass on the request id below."),
    ours=True,
)
CROSS_SITE = Problem(
    "cross_site",
    403,
    _("This request came from another site"),
    _("Another site asked for this in your name. No site may act here for you, so nothing was done."),
    _("If it was you who wanted it, go to the home page and do it from there."),
)
METHOD_NOT_ALLOWED = Problem(
    "method_not_allowed",
    405,
    _("This address cannot be opened like that"),
    _("It is there for a form or a button of another page, or for looking only. Nothing was done."),
    _("Go on from the page it belongs to."),
)
TOO_MANY_REQUESTS = Problem(
    "too_many_requests",
    429,
    _("Too many requests"),
    _("Very many requests came from your network or your account within a few minutes. This one was not carried out."),
    _("Nothing was changed. Try again in a few minutes."),
)

# The first type that fits decides.
_BY_TYPE: tuple[tuple[type[Exception], Problem], ...] = (
    (InvalidGrantError, EXPIRED_LINK),
    (TokenEndpointError, MISCONFIGURED),
    (TokenClockError, CLOCK),
    (InvalidTokenError, TOKEN_REFUSED),
    (ThrottledError, BUSY),
    (ProviderUnavailableError, UNAVAILABLE),
    (UserPoolError, MISCONFIGURED),
    (AccountDisabledError, DISABLED),
    (UnknownKeyError, KEY_MISSING),
)
# OAuth error codes of the authorization response: RFC 6749 section 4.1.2.1.
_BY_CODE = {
    "access_denied": CANCELLED,
    "invalid_scope": MISCONFIGURED,
    "unauthorized_client": MISCONFIGURED,
    "unsupported_response_type": MISCONFIGURED,
    "server_error": UNAVAILABLE,
    "temporarily_unavailable": UNAVAILABLE,
}


def problem_of(error: Exception) -> Problem:
    """Return the page for an error: by OAuth code for authorization responses, by type for all else."""
    if isinstance(error, StateMismatchError):
        return EXPIRED_LINK if error.error == "unknown_state" else OTHER_BROWSER
    if isinstance(error, AuthorizationResponseError):
        return _BY_CODE.get(error.error, PROVIDER_REFUSED)
    return next(problem for kind, problem in _BY_TYPE if isinstance(error, kind))


def problem_name(error: BaseException) -> str:
    """Return the name of an error's page, "error" for one that has none: the word for it in metrics."""
    kinds: tuple[type[Exception], ...] = (AuthorizationResponseError, *(kind for kind, _page in _BY_TYPE))
    return problem_of(error).name if isinstance(error, kinds) else "error"


def error_response(request: Any, error: Exception, *, next_url: str | None = None) -> HttpResponse:
    """Return the page, or the JSON, for `error`.

    `next_url` is where a sign-in was to lead; without it the way on is to try this page again.
    """
    problem = problem_of(error)
    _log(problem, error)
    retry_after = error.retry_after if isinstance(error, ProviderUnavailableError) else None
    way_on = None if next_url is None else login_url(next_url)
    return problem_response(request, problem, way_on=way_on, retry_after=retry_after)


def method_not_allowed_response(request: Any, refused: HttpResponseBase) -> HttpResponse:
    """Return the page, or the JSON, for a method that an address does not take, in place of Django's empty one."""
    allowed = refused.headers.get("Allow", "")
    way_on = request.path if "GET" in allowed else page_above(request.path)
    response = problem_response(request, METHOD_NOT_ALLOWED, way_on=way_on)
    response["Allow"] = allowed
    return response


def problem_response(
    request: Any, problem: Problem, *, way_on: str | None = None, retry_after: int | None = None
) -> HttpResponse:
    """Return the page, or the JSON, of a problem; `way_on` is where its button leads, `retry_after` is in seconds."""
    if wants_json(request):
        response: HttpResponse = JsonResponse({"error": problem.name, "request_id": request.id}, status=problem.status)
    else:
        context = {"problem": problem, "action_url": way_on or this_page(request), "retry_after": retry_after}
        if problem is DISABLED:
            # Else Cognito's login cookie brings back the same account.
            context["switch_url"] = oidc.sign_out_url(user_pool_config(), sign_out_uri=signed_out_uri())
        response = render(request, "accounts/problem.html", context, status=problem.status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def ended_response(request: Any, *, form: FormContent | None = None, kept: Kept | None = None) -> HttpResponse:
    """Return the page that says the session has ended and why, with the way back in.

    `form` is what somebody filled in and sent too late, and `kept` what could be kept of it.
    """
    if wants_json(request):
        return JsonResponse({"error": "session_ended"}, status=401)
    back = page_of(kept.form) if kept else this_page(request)
    context = {
        "ended": request.ended_session,
        "kept_form": kept.form if kept else None,
        "form_is_lost": form is not None and kept is None,
        "action_url": login_url(back),
        # Where a change of language leads.
        "this_page": back,
    }
    response = render(request, "accounts/session_ended.html", context, status=401)
    if kept is not None:
        remember(response, kept)
    return response


def login_url(next_url: str) -> str:
    """Return the address that starts a sign-in leading to `next_url`."""
    return f"{reverse('login')}?{urlencode({'next': next_url})}"


def _log(problem: Problem, error: Exception) -> None:
    """Log the cause; what came in the query string is escaped and cut, since a stranger may have written it."""
    description = getattr(error, "description", "")
    detail = ascii(f"{error}: {description}" if description else f"{error}")[:300]
    # The code of an authorization response comes by the browser: anybody could have an operator called out of bed.
    is_certain = problem.ours and not isinstance(error, AuthorizationResponseError)
    level = logging.ERROR if is_certain else logging.WARNING
    logger.log(level, "Problem page %s: %s: %s", problem.name, type(error).__name__, detail)
