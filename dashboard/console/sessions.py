"""Everybody's sessions: the list, one of them, and ending."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import offered_as
from accounts.ending import end_session, end_sessions
from accounts.flagging import settle_flag
from accounts.http import SignedInRequest
from accounts.models import EndedSession, EndReason, Event, Session
from accounts.models.session import SessionQuerySet
from accounts.sign_in import NEXT_MAX_LENGTH
from dashboard.console.access import operators_only, viewers_only
from dashboard.console.export import SESSION_COLUMNS, csv_response, session_record
from dashboard.console.filter_form import FLAGGED, no_file
from dashboard.console.filters import SessionFilter
from dashboard.console.flagged import export_flagged, flagged_list
from dashboard.console.forms import EndManyForm, ReasonForm, chosen_sessions
from dashboard.paging import Keyset

EVENTS_SHOWN = 50
GROUPS_OFFERED = 200
# While a file is written people go on working: only an order that does not change shows each of their sessions once.
EXPORT_ORDER = Keyset("started_at", "public_id")


@viewers_only
@require_GET
def session_list(request: SignedInRequest) -> HttpResponse:
    """List live sessions as the filters say, a page at a time; or those that their owners did not recognise."""
    if request.GET.get("state") == FLAGGED:
        return flagged_list(request)
    now = timezone.now()
    filters = _filters(request)
    rows = filters.narrow(_listed(now), now)
    page = filters.keyset.page(rows, request.GET.get("after", ""), among=filters.among())
    context = {
        "filters": filters,
        "page": page,
        "select_all": request.GET.get("select") == "page",
        "ended": None if page.rows else _ended_by_text(filters.value("q") or ""),
        "now": now,
    }
    return render(request, "console/sessions.html", context)


@viewers_only
@require_GET
def export_sessions(request: SignedInRequest) -> HttpResponseBase:
    """Stream the sessions of the list as CSV."""
    now = timezone.now()
    if request.GET.get("state") == FLAGGED:
        return export_flagged(request, now)
    filters = _filters(request)
    if not filters.is_valid():
        return no_file()
    rows = EXPORT_ORDER.walk(filters.narrow(_listed(now), now), among=Session.objects.all())
    return csv_response("sessions", SESSION_COLUMNS, (session_record(row, now) for row in rows))


@viewers_only
@require_GET
def session_detail(request: SignedInRequest, public_id: UUID) -> HttpResponse:
    """Show all of a session that is no secret, live or ended, and what happened in it."""
    return _detail(request, public_id, ReasonForm())


@offered_as(gettext_lazy("End a session"), ends_something=True)
@operators_only
@require_POST
def end_one(request: SignedInRequest, public_id: UUID) -> HttpResponse:
    """End a session, for a reason."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _detail(request, public_id, form, status=422)
    row = Session.objects.filter(public_id=public_id, user__isnull=False).first()
    if row is None:
        if not EndedSession.objects.filter(pk=public_id).exists():
            raise Http404
        messages.info(request, _("That session had ended already."))
        return redirect("console_session", public_id)
    reason = form.cleaned_data["reason"]
    ended = end_session(row, EndReason.OPERATOR, now=timezone.now(), actor=request.user, note=reason)
    messages.success(request, _("The session has ended."))
    warn_if_pending(request, [ended] if ended else [])
    return redirect("console_session", public_id)


@offered_as(gettext_lazy("Settle a session that its owner did not recognise"), ends_something=False)
@operators_only
@require_POST
def settle(request: SignedInRequest, public_id: UUID) -> HttpResponse:
    """Record, with a reason, that a session its owner did not recognise has been looked into."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _detail(request, public_id, form, status=422)
    ended = get_object_or_404(EndedSession, pk=public_id)
    if settle_flag(ended, form.cleaned_data["reason"], timezone.now(), actor=request.user):
        messages.success(request, _("Settled. It needs nobody's attention any more."))
    else:
        messages.info(request, _("There is nothing to settle: somebody has looked into it, or it was never flagged."))
    return redirect("console_session", public_id)


@offered_as(gettext_lazy("End the selected sessions"), ends_something=True)
@operators_only
@require_http_methods(["GET", "HEAD", "POST"])
def end_selected(request: SignedInRequest) -> HttpResponse:
    """Ask once more about the sessions ticked in the list; by POST, end them."""
    now = timezone.now()
    chosen = chosen_sessions((request.POST or request.GET).getlist("session"))
    sessions = Session.objects.live(now).filter(public_id__in=chosen).select_related("user").order_by("-last_seen_at")
    rows, list_query = list(sessions), _list_query(request)
    the_list = f"{reverse('console_sessions')}?{list_query}" if list_query else reverse("console_sessions")
    if request.method == "POST" and chosen and not rows:
        # The second click of somebody impatient: what the first one did is said there.
        messages.info(request, _("Those you selected have all ended meanwhile."))
        return redirect(the_list)
    form = EndManyForm(request.POST or None, count=len(rows))
    if not rows or not form.is_valid():
        context = {"form": form, "sessions": rows, "asked": len(chosen), "list_query": list_query, "now": now}
        context |= {"the_list": the_list, "address": _way_back(request.path, chosen, list_query)}
        return render(request, "console/end_sessions.html", context, status=422 if request.method == "POST" else 200)
    reason = form.cleaned_data["reason"]
    ended = end_sessions(sessions, EndReason.OPERATOR, now=now, actor=request.user, note=reason)
    report_ended(request, ended)
    return redirect(the_list)


def _list_query(request: SignedInRequest) -> str:
    """Return the filters of the list in which the sessions were selected, and nothing else that the address holds."""
    asked = QueryDict(request.GET.get("list", ""))
    return urlencode({name: asked[name] for name in (*SessionFilter.base_fields, "after") if asked.get(name)})


def _way_back(path: str, chosen: list[UUID], list_query: str) -> str:
    """Return the address of the question, short enough to come back to: for that the filters may be left out."""
    # A name for each of the sessions, or the dashes in them, would make it too long.
    address = f"{path}?session={','.join(each.hex for each in chosen)}"
    with_list = f"{address}&{urlencode({'list': list_query})}"
    return with_list if list_query and len(with_list) <= NEXT_MAX_LENGTH else address


def report_ended(request: Any, ended: list[EndedSession]) -> None:
    """Tell the operator how many sessions have ended, and whether Cognito knows."""
    say_how_many(request, ended)
    warn_if_pending(request, ended)


def say_how_many(request: Any, ended: list[EndedSession]) -> None:
    text = ngettext("%(count)d session has ended.", "%(count)d sessions have ended.", len(ended))
    messages.success(request, text % {"count": len(ended)})


def warn_if_pending(request: Any, ended: list[EndedSession]) -> None:
    """Tell the operator if Cognito has still to be told of some of these."""
    pks = [trace.pk for trace in ended]
    if EndedSession.objects.filter(pk__in=pks, revocation__state="pending").exists():
        messages.warning(request, _("Over here. Cognito could not be told yet; the revocations show when it has been."))


def _listed(now: datetime) -> SessionQuerySet:
    """Return live sessions with their people, without the columns nobody may see."""
    rows: SessionQuerySet = Session.objects.live(now).select_related("user").defer("token_set_sealed", "session_data")
    return rows


def _filters(request: SignedInRequest) -> SessionFilter:
    groups = Group.objects.order_by("name").values_list("name", flat=True)
    offered, asked_for = list(groups[:GROUPS_OFFERED]), request.GET.get("group", "")
    if len(offered) == GROUPS_OFFERED and asked_for not in offered and "\0" not in asked_for:
        offered += groups.filter(name=asked_for)
    return SessionFilter(request.GET, offered)


def _detail(request: SignedInRequest, public_id: UUID, form: ReasonForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    row = Session.objects.select_related("user").filter(public_id=public_id, user__isnull=False).first()
    ended = None if row else _ended(public_id)
    if row is None and ended is None:
        raise Http404
    events = _events(public_id)
    context = {
        "session": row or ended,
        "settlement": next((event for event in events if event.kind == Event.Kind.FLAG_SETTLED), None),
        "is_live": row is not None and row.expire_date > now,
        "is_ended": ended is not None,
        "is_mine": row is not None and row.pk == request.session_row.pk,
        "events": events,
        "form": form,
        "now": now,
    }
    return render(request, "console/session.html", context, status=status)


def _ended(public_id: UUID) -> EndedSession | None:
    return EndedSession.objects.select_related("user", "revocation").filter(pk=public_id).first()


def _ended_by_text(text: str) -> EndedSession | None:
    """Return the ended session whose id was searched for among the live ones."""
    try:
        return _ended(UUID(text))
    except ValueError:
        return None


def _events(public_id: UUID) -> list[Event]:
    mine = Event.objects.filter(session_id=public_id).select_related("actor")
    return list(mine.order_by("-at", "-pk")[:EVENTS_SHOWN])
