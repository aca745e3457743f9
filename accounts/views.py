from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts import measuring, sign_in
from accounts.cognito import oidc
from accounts.cognito.errors import AuthorizationResponseError, CognitoError, StateMismatchError
from accounts.cognito.observing import observed
from accounts.conf import signed_out_uri, user_pool_config
from accounts.ending import end_session, end_sessions
from accounts.error_pages import error_response, login_url
from accounts.http import GatehouseRequest
from accounts.models import EndedSession, EndReason, Session
from accounts.problems import problem_name
from accounts.rate_limits import FAILED_CALLBACK, SESSION_API, SIGN_IN, SIGN_OUT, failures_limited, limited

RESTARTED_COOKIE = "gatehouse_restarted"
RESTARTED_SECONDS = 300
SIGNED_OUT_COOKIE = "gatehouse_signed_out"
SIGNED_OUT_SECONDS = 600
# Behind the session's id in that cookie: the browser was not sent through Cognito.
AT_ONCE = " at once"
NOT_EVERYWHERE = "not-everywhere"


@login_not_required
@never_cache
@require_GET
@limited(SIGN_IN)
def login(request: GatehouseRequest) -> HttpResponse:
    """Start a sign-in that leads to `next`; who is signed in goes there at once."""
    next_url = sign_in.safe_next(request, request.GET.get("next", ""))
    if request.user.is_authenticated:
        return HttpResponseRedirect(next_url)
    return sign_in.begin(request, next_url=next_url, hints=request.GET.dict())


@login_not_required
@never_cache
@require_GET
@failures_limited(FAILED_CALLBACK)
def callback(request: GatehouseRequest) -> HttpResponse:
    """Take the authorization response: `state` first, then the code, once."""
    try:
        pending = sign_in.take_pending(request)
    except StateMismatchError as error:
        return _stale_response(request, error)
    try:
        with observed("sign_in", measuring.observe, problem_name):
            tokens = sign_in.fetch_tokens(request, nonce=pending.nonce, code_verifier=pending.code_verifier)
            sign_in.open_session(request, tokens)
    except AuthorizationResponseError as error:
        if error.error == "login_required":  # the answer to prompt=none: ask again, without it
            return _start_over(request, error, pending.next_url)
        return error_response(request, error, next_url=pending.next_url)
    except (CognitoError, sign_in.AccountDisabledError) as error:
        return error_response(request, error, next_url=pending.next_url)
    response = HttpResponseRedirect(pending.next_url)
    response.delete_cookie(sign_in.cookie_name(RESTARTED_COOKIE))
    return response


def _stale_response(request: GatehouseRequest, error: StateMismatchError) -> HttpResponse:
    """Go on for who is signed in; otherwise start over, or say what is wrong."""
    next_url = sign_in.intended_next(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(next_url)
    if error.error == "no_browser":
        return error_response(request, error, next_url=next_url)
    return _start_over(request, error, next_url)


def _start_over(request: GatehouseRequest, error: AuthorizationResponseError, next_url: str) -> HttpResponse:
    """Begin the sign-in anew by itself, once; the second time say what is wrong."""
    if sign_in.cookie_name(RESTARTED_COOKIE) in request.COOKIES:
        return error_response(request, error, next_url=next_url)
    response = HttpResponseRedirect(login_url(next_url))
    sign_in.set_cookie(response, RESTARTED_COOKIE, "1", max_age=RESTARTED_SECONDS)
    return response


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited(SIGN_OUT, methods=("POST",))
def logout(request: GatehouseRequest) -> HttpResponse:
    """Show what each way to sign out stops; by POST, sign out in this browser, signed in or not."""
    row, now = request.session_row, timezone.now()
    if request.method == "POST":
        ended = end_session(row, EndReason.SIGNED_OUT, now=now) if row else None
        return _leave(request, ended)
    if row is None:
        return HttpResponseRedirect(reverse("signed_out"))
    others = Session.objects.live(now).filter(user=row.user).exclude(pk=row.pk).count()
    return render(request, "accounts/logout.html", {"session": row, "other_sessions": others, "now": now})


@login_not_required
@never_cache
@require_POST
@limited(SIGN_OUT)
def logout_everywhere(request: GatehouseRequest) -> HttpResponse:
    """End every session of the person and ask Cognito to revoke all their tokens."""
    row = request.session_row
    if row is None:
        # From a tab that was open when this browser signed out: nobody knows any more whose sessions were meant.
        return HttpResponseRedirect(f"{reverse('signed_out')}?{NOT_EVERYWHERE}")
    end_sessions(Session.objects.filter(user=row.user), EndReason.EVERYWHERE, now=timezone.now(), everywhere=row)
    return _leave(request, EndedSession.objects.select_related("revocation").filter(pk=row.public_id).first())


def _leave(request: Any, ended: EndedSession | None) -> HttpResponse:
    """Send the browser through Cognito's sign-out, which clears its login cookie, and back to `signed_out`.

    A Cognito that could not be told is not likely to show a page either: then go to `signed_out` at once.
    """
    request.session.forget()
    is_silent = ended is not None and ended.revocation is not None and ended.revocation.has_failed
    response = HttpResponseRedirect(reverse("signed_out") if is_silent else _clearing_url())
    # On a shared computer, whoever leaves could have somebody follow a link into their account.
    sign_in.forget_pending(response)
    if ended is not None:
        what = f"{ended.public_id}{AT_ONCE if is_silent else ''}"
        sign_in.set_cookie(response, SIGNED_OUT_COOKIE, what, max_age=SIGNED_OUT_SECONDS, signed=True)
    return response


def _clearing_url() -> str:
    return oidc.sign_out_url(user_pool_config(), sign_out_uri=signed_out_uri())


@login_not_required
@never_cache
@require_safe
def signed_out(request: GatehouseRequest) -> HttpResponse:
    """Say what signing out stopped, what Cognito has still to be told, and what lives on."""
    try:
        what = request.get_signed_cookie(
            sign_in.cookie_name(SIGNED_OUT_COOKIE), default="", salt=SIGNED_OUT_COOKIE, max_age=SIGNED_OUT_SECONDS
        )
    except BadSignature:
        what = ""
    what = what or ""
    public_id = what.removesuffix(AT_ONCE)
    ended = EndedSession.objects.select_related("revocation").filter(pk=public_id).first() if public_id else None
    context = {
        "ended": ended,
        "ended_together": _ended_together(ended),
        "sent_through_cognito": ended is not None and not what.endswith(AT_ONCE),
        "clearing_url": _clearing_url(),
        "not_everywhere": NOT_EVERYWHERE in request.GET,
        "now": timezone.now(),
    }
    return render(request, "accounts/signed_out.html", context)


def _ended_together(ended: EndedSession | None) -> int:
    """Return how many sessions ended in the same sign-out everywhere."""
    if ended is None:
        return 0
    together = EndedSession.objects.filter(user=ended.user_id, ended_at=ended.ended_at, reason=EndReason.EVERYWHERE)
    return together.count()


@login_not_required
@never_cache
@require_safe
@limited(SESSION_API)
def api_session(request: GatehouseRequest) -> JsonResponse:
    """Tell a front end who is signed in and until when (UTC); 401 if nobody is."""
    row = request.session_row
    if row is None:
        return JsonResponse({"error": "login_required", "login_url": reverse("login")}, status=401)
    user = row.person
    return JsonResponse(
        {
            "session": str(row.public_id),
            "user": {"id": str(user.pk), "email": user.email, "name": user.name},
            "groups": sorted(user.groups.values_list("name", flat=True)),
            "health": row.health(timezone.now()).value,
            "access_token_expires_at": row.access_expires_at,
            "idle_end": row.expire_date,
            "ends_at": row.ends_at,
        }
    )
