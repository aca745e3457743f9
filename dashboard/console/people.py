"""People: who has signed in, what they have open, and ending all of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import offered_as
from accounts.ending import end_everywhere, end_sessions
from accounts.http import SignedInRequest
from accounts.models import EndedSession, EndReason, Event, Revocation, Session, User
from accounts.rate_limits import OPERATOR, limited
from dashboard.console.access import operators_only, viewers_only
from dashboard.console.cognito import ask
from dashboard.console.filters import PeopleFilter
from dashboard.console.forms import EndManyForm
from dashboard.console.sessions import report_ended, say_how_many, warn_if_pending

SESSIONS_SHOWN = 50
ENDED_SHOWN = 10
EVENTS_SHOWN = 20


@viewers_only
@require_GET
def people_list(request: SignedInRequest) -> HttpResponse:
    """List people by e-mail address, a page at a time, with how many sessions each has."""
    now = timezone.now()
    filters = PeopleFilter(request.GET)
    theirs = Session.objects.live(now).filter(user=OuterRef("pk")).order_by().values("user")
    people = User.objects.annotate(live=Coalesce(Subquery(theirs.annotate(n=Count("pk")).values("n")), 0))
    page = filters.keyset.page(filters.narrow(people), request.GET.get("after", ""))
    return render(request, "console/people.html", {"filters": filters, "page": page, "now": now})


@viewers_only
@require_GET
def person_detail(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """Show a person, their sessions and what happened to them; if asked to, what Cognito says of them."""
    is_asked = settings.COGNITO_ADMIN_API and request.GET.get("ask") == "cognito"
    return _with_answer(request, pk) if is_asked else _detail(request, pk)


@limited(OPERATOR)
def _with_answer(request: SignedInRequest, pk: UUID) -> HttpResponse:
    # To look is not limited; this is a call to Cognito, and makes the person count as active.
    return _detail(request, pk, ask_cognito=True)


@offered_as(gettext_lazy("End all sessions of a person on this site"), ends_something=True)
@operators_only
@require_POST
def end_all(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """End every session the person has here; their other apps stay signed in."""
    return _end(request, pk, everywhere=False)


@offered_as(gettext_lazy("Sign a person out of every app"), ends_something=True)
@operators_only
@require_POST
def sign_out_everywhere(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """End every session the person has here, and have Cognito revoke all their tokens, in every app."""
    return _end(request, pk, everywhere=True)


def _end(request: SignedInRequest, pk: UUID, *, everywhere: bool) -> HttpResponse:
    now = timezone.now()
    live = Session.objects.live(now).filter(user_id=pk)
    form = EndManyForm(request.POST, count=live.count(), prefix="everywhere" if everywhere else "here")
    if not form.is_valid():
        return _detail(request, pk, form, status=422)
    who: dict[str, Any] = {"now": now, "actor": request.user, "note": form.cleaned_data["reason"]}
    if everywhere:
        person = get_object_or_404(User, pk=pk)
        _report_everywhere(request, person, end_everywhere(person, **who), now)
    else:
        report_ended(request, end_sessions(live, EndReason.OPERATOR, **who))
    return redirect("console_person", pk)


def _report_everywhere(request: Any, person: User, ended: list[EndedSession] | None, now: datetime) -> None:
    """Tell the operator what became of a global sign-out, by credentials or by a token."""
    if ended is None:
        messages.error(request, _("Nothing was done: without a live session there is no token to do it with."))
        return
    if ended:
        say_how_many(request, ended)
    kinds = (Revocation.Kind.GLOBAL, Revocation.Kind.ADMIN_GLOBAL)
    told = Revocation.objects.filter(user=person, kind__in=kinds, created_at=now).values_list("kind", "state").first()
    if told is not None and told[1] == Revocation.State.DONE:
        messages.success(request, _("Cognito has signed them out of every app."))
    elif told is not None and told[1] == Revocation.State.PENDING:
        messages.warning(request, _("Cognito could not be told yet. It is tried again by itself, see the revocations."))
    elif told == (Revocation.Kind.ADMIN_GLOBAL, Revocation.State.GIVEN_UP):
        messages.error(request, _("The user pool has no such user, so there was nobody to sign out of other apps."))
    else:
        # Once its token is refused, a sign-out everywhere is one from this app only.
        messages.error(
            request, _("Cognito refused to sign them out of other apps, so they may still be signed in there.")
        )
        warn_if_pending(request, ended)


def _detail(
    request: SignedInRequest,
    pk: UUID,
    form: EndManyForm | None = None,
    *,
    status: int = 200,
    ask_cognito: bool = False,
) -> HttpResponse:
    now = timezone.now()
    with_groups = list(User.objects.filter(pk=pk).annotate(group_name=F("groups__name")).order_by("group_name"))
    if not with_groups:
        raise Http404
    live = list(_live(pk).order_by("-last_seen_at")[: SESSIONS_SHOWN + 1])
    traces = EndedSession.objects.filter(user=pk).select_related("revocation")
    ended = list(traces.order_by("-ended_at")[: ENDED_SHOWN + 1])
    context = {
        "person": with_groups[0],
        "may_ask": settings.COGNITO_ADMIN_API,
        "cognito": ask(with_groups[0], now) if ask_cognito else None,
        "group_names": [row.group_name for row in with_groups if row.group_name],
        "sessions": live[:SESSIONS_SHOWN],
        "has_more": len(live) > SESSIONS_SHOWN,
        "ended_sessions": ended[:ENDED_SHOWN],
        "has_ended_more": len(ended) > ENDED_SHOWN,
        "events": Event.objects.filter(user=pk).select_related("actor").order_by("-at", "-pk")[:EVENTS_SHOWN],
        "now": now,
        **_forms(form, len(live)),
    }
    return render(request, "console/person.html", context, status=status)


def _live(pk: UUID) -> QuerySet[Session]:
    rows: QuerySet[Session] = Session.objects.live(timezone.now()).filter(user_id=pk)
    return rows.defer("token_set_sealed", "session_data")


def _forms(filled_in: EndManyForm | None, count: int) -> dict[str, Any]:
    """Return both forms of the page, one of them perhaps as it was sent."""
    forms = {name: EndManyForm(count=count, prefix=name) for name in ("here", "everywhere")}
    if filled_in is not None and filled_in.prefix:
        forms[filled_in.prefix] = filled_in
    return {f"{name}_form": form for name, form in forms.items()}
