from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.conf import token_verifier
from accounts.decorators import live_tokens_wanted
from accounts.ending import end_session, end_sessions
from accounts.http import GatehouseRequest, SignedInRequest, wants_json
from accounts.models import EndedSession, EndReason, Session
from accounts.profile import ProfileProblem, read_profile
from dashboard.profile_page import attribute_groups, mfa_methods
from dashboard.token_page import token_reports

ENDED_SHOWN = 10


@login_not_required
@require_safe
def home(request: GatehouseRequest) -> HttpResponse:
    """Say what this is, or who is signed in and how their session is; without a call to Cognito."""
    if request.session_row is None:
        return render(request, "dashboard/welcome.html", {"ended": request.ended_session})
    now = timezone.now()
    return render(request, "dashboard/home.html", {"session": request.session_row, "now": now})


@require_safe
@live_tokens_wanted
def profile(request: SignedInRequest) -> HttpResponse:
    """Show what GetUser says of the person, or why it says nothing now."""
    reading = read_profile(request.session_row, request.token_set, timezone.now())
    context = {
        "session": request.session_row,
        "reading": reading,
        "attribute_groups": attribute_groups(reading.profile),
        "mfa_methods": mfa_methods(reading.profile),
        "user_groups": request.user.groups.order_by("name"),
        "now": timezone.now(),
    }
    passing = reading.problem in (ProfileProblem.THROTTLED, ProfileProblem.UNREACHABLE)
    response = render(request, "dashboard/profile.html", context, status=503 if passing else 200)
    if passing:
        response["Retry-After"] = "5"
    return response


@require_safe
def sessions(request: SignedInRequest) -> HttpResponse:
    """Show the person's sessions: this one, the other live ones, and those that ended lately."""
    now = timezone.now()
    live = Session.objects.live(now).filter(user=request.user).order_by("-last_seen_at")
    ended = EndedSession.objects.recent(now).filter(user=request.user).select_related("revocation")
    context = {
        "current": request.session_row,
        "sessions": sorted(live, key=lambda row: row.pk != request.session_row.pk),
        "ended_sessions": ended.order_by("-ended_at")[:ENDED_SHOWN],
        "now": now,
    }
    return render(request, "dashboard/sessions.html", context)


@require_POST
def revoke_session(request: SignedInRequest, public_id: UUID) -> HttpResponse:
    """End one of the person's own sessions; their current one by way of the sign-out page."""
    row = Session.objects.filter(user=request.user, public_id=public_id).first()
    if row is None:
        if not EndedSession.objects.filter(user=request.user, public_id=public_id).exists():
            raise Http404
        messages.info(request, _("That session had ended already."))
        return redirect("sessions")
    if row.pk == request.session_row.pk:
        return redirect("logout")
    ended = end_session(row, EndReason.ELSEWHERE, now=timezone.now())
    messages.success(request, _("Signed out: %(device)s.") % {"device": _device(row)})
    _warn_if_pending(request, [ended] if ended else [])
    return redirect("sessions")


@require_POST
def revoke_other_sessions(request: SignedInRequest) -> HttpResponse:
    """End every session of the person but this one."""
    others = Session.objects.filter(user=request.user).exclude(pk=request.session_row.pk)
    ended = end_sessions(others, EndReason.ELSEWHERE, now=timezone.now())
    count = len(ended)
    messages.success(
        request,
        ngettext("Signed out %(count)d other session.", "Signed out %(count)d other sessions.", count)
        % {"count": count},
    )
    _warn_if_pending(request, ended)
    return redirect("sessions")


@require_safe
@live_tokens_wanted
def tokens(request: SignedInRequest) -> HttpResponse:
    """Show the claims of this session's tokens and each verification rule's verdict; never the tokens."""
    now = timezone.now()
    reports = token_reports(token_verifier(), request.token_set, now)
    return render(request, "dashboard/tokens.html", {"session": request.session_row, "reports": reports, "now": now})


def _device(row: Session) -> str:
    if row.browser and row.system:
        return _("%(browser)s on %(system)s") % {"browser": row.browser, "system": row.system}
    return row.browser or row.system or _("an unknown browser")


def _warn_if_pending(request: Any, ended: list[EndedSession]) -> None:
    pks = [trace.pk for trace in ended]
    if EndedSession.objects.filter(pk__in=pks, revocation__state="pending").exists():
        messages.warning(request, _("It is over here. Cognito could not be told yet; the list shows when it is."))


# --- Error pages of Django's own errors


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say sorry with what cannot fail: no context processor, and so neither the database nor the session."""
    if wants_json(request):
        return JsonResponse({"error": "500"}, status=500)
    with _language_of(request):
        return HttpResponse(render_to_string("500.html", {"request": request}), status=500)


def _error(request: HttpRequest, status: int) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": str(status)}, status=status)
    with _language_of(request):
        return render(request, f"{status}.html", status=status)


def _language_of(request: HttpRequest) -> translation.override:
    """Speak the visitor's language; what fails before LocaleMiddleware finds the thread in its last visitor's."""
    return translation.override(translation.get_language_from_request(request))
