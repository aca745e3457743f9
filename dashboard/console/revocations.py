"""The queue of what Cognito must still be told, and what became of it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import offered_as
from accounts.http import SignedInRequest
from accounts.models import Event, Revocation
from accounts.models.revocation import RevocationQuerySet
from accounts.revocation import give_up, retry
from dashboard.console.access import operators_only, viewers_only
from dashboard.console.filters import RevocationFilter
from dashboard.console.forms import ReasonForm

EVENTS_SHOWN = 20


@viewers_only
@require_GET
def revocation_list(request: SignedInRequest) -> HttpResponse:
    """List revocations as the filters say, a page at a time."""
    now = timezone.now()
    filters = RevocationFilter(request.GET)
    rows = filters.narrow(_revocations(), now)
    page = filters.keyset.page(rows, request.GET.get("after", ""))
    return render(request, "console/revocations.html", {"filters": filters, "page": page, "now": now})


@viewers_only
@require_GET
def revocation_detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Show one revocation and what can be done about it."""
    return _detail(request, pk)


@offered_as(gettext_lazy("Try a revocation again now"), ends_something=False)
@operators_only
@require_POST
def retry_revocation(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Tell Cognito now rather than when the next try is due, for a reason."""
    revocation = get_object_or_404(Revocation, pk=pk)
    form = ReasonForm(request.POST, prefix="retry")
    if not form.is_valid():
        return _detail(request, pk, form, status=422)
    retry(revocation, form.cleaned_data["reason"], timezone.now(), actor=request.user)
    revocation.refresh_from_db()
    if revocation.state == Revocation.State.DONE:
        messages.success(request, _("Cognito has been told."))
    elif revocation.is_pending:
        messages.warning(request, _("Cognito could not be told this time either. It is tried again by itself."))
    else:
        messages.info(request, _("This revocation is settled already."))
    return redirect("console_revocation", pk)


@offered_as(gettext_lazy("Give up a revocation"), ends_something=True)
@operators_only
@require_POST
def give_up_revocation(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Stop trying, for a reason."""
    revocation = get_object_or_404(Revocation, pk=pk)
    form = ReasonForm(request.POST, prefix="give_up")
    if not form.is_valid():
        return _detail(request, pk, form, status=422)
    if give_up(revocation, form.cleaned_data["reason"], timezone.now(), actor=request.user):
        messages.success(request, _("Given up. Cognito will not be told."))
    else:
        messages.info(request, _("This revocation is settled already."))
    return redirect("console_revocation", pk)


def _detail(request: SignedInRequest, pk: UUID, form: ReasonForm | None = None, status: int = 200) -> HttpResponse:
    revocation = get_object_or_404(_revocations(), pk=pk)
    forms = {f"{name}_form": ReasonForm(prefix=name) for name in ("retry", "give_up")}
    if form is not None:
        forms[f"{form.prefix}_form"] = form
    context = {"revocation": revocation, "events": _events(revocation), "now": timezone.now(), **forms}
    return render(request, "console/revocation.html", context, status=status)


def _events(revocation: Revocation) -> list[Event]:
    """Return what operators did about a revocation, the newest first."""
    kinds = (Event.Kind.REVOCATION_RETRIED, Event.Kind.REVOCATION_GIVEN_UP)
    about = Event.objects.filter(user=revocation.user_id, at__gte=revocation.created_at, kind__in=kinds)
    mine = about.filter(detail__startswith=f"{revocation.pk}: ").select_related("actor")
    return list(mine.order_by("-at", "-pk")[:EVENTS_SHOWN])


def _revocations() -> RevocationQuerySet:
    """Return revocations with their people."""
    return Revocation.objects.select_related("user").defer("sealed")
