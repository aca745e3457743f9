"""From an error to what a person sees or a script reads: the page of its problem, or JSON, with the request id."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from accounts.cognito import oidc
from accounts.cognito.errors import AuthorizationResponseError, ProviderUnavailableError
from accounts.conf import signed_out_uri, user_pool_config
from accounts.http import page_above, this_page, wants_json
from accounts.kept_form import Kept, page_of, remember
from accounts.models.kept_form import FormContent
from accounts.problems import DISABLED, METHOD_NOT_ALLOWED, Problem, problem_of

logger = logging.getLogger(__name__)


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
