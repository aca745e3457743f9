"""A person's own sessions: the list, one of them, what its tokens say, and ending."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.conf import token_verifier
from accounts.decorators import live_tokens_wanted
from accounts.encryption import SealedDataError, UnknownKeyError
from accounts.ending import end_session, end_sessions
from accounts.flagging import flag_session
from accounts.http import SignedInRequest
from accounts.models import EndedSession, EndReason, Revocation, Session
from accounts.rate_limits import SIGN_OUT, limited
from dashboard.session_page import (
    NEWEST_ENDED,
    NEWEST_EVENTS,
    device,
    devices,
    operators_words,
    own_ended_sessions,
    own_events,
    own_session,
    sign_in_methods,
    timeline,
    why_given_up,
)
from dashboard.token_page import TokenReport, token_reports

ENDED_SHOWN = 10


@require_safe
def session_list(request: SignedInRequest) -> HttpResponse:
    """Show the person's sessions: this one, the other live ones, and those that ended last."""
    now = timezone.now()
    live = Session.objects.live(now).filter(user=request.user).defer("token_set_sealed", "session_data")
    context = {
        "current": request.session_row,
        "sessions": sorted(live.order_by("-last_seen_at"), key=lambda row: row.pk != request.session_row.pk),
        "ended": NEWEST_ENDED.page(own_ended_sessions(request.user, now), "", ENDED_SHOWN),
        "now": now,
    }
    return render(request, "dashboard/sessions.html", context)


@require_safe
def ended_list(request: SignedInRequest) -> HttpResponse:
    """Show all of the person's sessions that ended lately, a page at a time."""
    now = timezone.now()
    page = NEWEST_ENDED.page(own_ended_sessions(request.user, now), request.GET.get("after", ""))
    return render(request, "dashboard/ended_sessions.html", {"page": page, "now": now})


@require_safe
def session_detail(request: SignedInRequest, public_id: UUID) -> HttpResponse:
    """Show all that a person may know of one of their sessions, and what happened in it, a page at a time."""
    now = timezone.now()
    page = NEWEST_EVENTS.page(own_events(request.user, public_id), request.GET.get("after", ""))
    is_over = any(getattr(event, "is_over", False) for event in page.rows)
    session = own_session(request.session_row, public_id, now, is_over=is_over)
    context = {
        "session": session,
        "is_live": isinstance(session, Session),
        "is_current": public_id == request.session_row.public_id,
        "operators_words": operators_words(page.rows),
        "why_given_up": why_given_up(session),
        "methods": sign_in_methods(_reports(session)) if isinstance(session, Session) else [],
        "steps": timeline(page, session),
        "page": page,
        "now": now,
    }
    return render(request, "dashboard/session.html", context)


@require_safe
@live_tokens_wanted
def tokens(request: SignedInRequest) -> HttpResponse:
    """Show the claims of this session's tokens and each verification rule's verdict; never the tokens."""
    now = timezone.now()
    reports = token_reports(token_verifier(), request.token_set, now)
    context = {"session": request.session_row, "is_current": True, "reports": reports, "now": now}
    return render(request, "dashboard/tokens.html", context)


@require_safe
def session_tokens(request: SignedInRequest, public_id: UUID) -> HttpResponse:
    """Show the same of another live session, whose tokens stay as they are, expired or not."""
    now = timezone.now()
    session = own_session(request.session_row, public_id, now)
    if session is request.session_row:
        return redirect("tokens")
    if isinstance(session, EndedSession):
        return redirect("session", public_id)
    context = {"session": session, "reports": _reports(session), "now": now}
    return render(request, "dashboard/tokens.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def not_recognised(request: SignedInRequest, public_id: UUID) -> HttpResponse:
    """Ask once more before ending a session its owner does not recognise; by POST, end and flag it."""
    now = timezone.now()
    session = own_session(request.session_row, public_id, now)
    is_current = session is request.session_row
    if isinstance(session, EndedSession) and session.flagged_at:
        return redirect("session", public_id)
    if request.method == "POST" and not is_current:
        flag_session(request.user, public_id, now)
        return redirect("session", public_id)
    context = {"session": session, "is_live": isinstance(session, Session), "is_current": is_current, "now": now}
    status = 409 if request.method == "POST" else 200
    return render(request, "dashboard/not_recognised.html", context, status=status)


@require_POST
@limited(SIGN_OUT)
def revoke_session(request: SignedInRequest, public_id: UUID) -> HttpResponse:
    """End one of the person's own sessions; their current one by way of the sign-out page."""
    now = timezone.now()
    session = own_session(request.session_row, public_id, now)
    if session is request.session_row:
        return redirect("logout")
    if isinstance(session, EndedSession):
        messages.info(request, _("That session had ended already."))
        return redirect("sessions")
    ended = end_session(session, EndReason.ELSEWHERE, now=now)
    messages.success(request, _("Signed out: %(device)s.") % {"device": device(session)})
    _warn_if_pending(request, [ended] if ended else [])
    return redirect("sessions")


@require_POST
@limited(SIGN_OUT)
def revoke_other_sessions(request: SignedInRequest) -> HttpResponse:
    """End every session of the person but this one."""
    others = Session.objects.filter(user=request.user).exclude(pk=request.session_row.pk)
    ended = end_sessions(others, EndReason.ELSEWHERE, now=timezone.now())
    if not ended:
        messages.info(request, _("You had no other sessions."))
        return redirect("sessions")
    text = ngettext(
        "Signed out %(count)d other session: %(devices)s.",
        "Signed out %(count)d other sessions: %(devices)s.",
        len(ended),
    )
    messages.success(request, text % {"count": len(ended), "devices": devices(ended)})
    _warn_if_pending(request, ended)
    return redirect("sessions")


def _reports(session: Session) -> list[TokenReport]:
    """Return what the tokens of a session say; nothing if they cannot be decrypted, here or at all."""
    try:
        return token_reports(token_verifier(), session.token_set(), timezone.now())
    except (SealedDataError, UnknownKeyError):
        return []


def _warn_if_pending(request: Any, ended: list[EndedSession]) -> None:
    pks = [trace.pk for trace in ended]
    if EndedSession.objects.filter(pk__in=pks, revocation__state=Revocation.State.PENDING).exists():
        messages.warning(request, _("It is over here. Cognito could not be told yet; the list shows when it is."))
