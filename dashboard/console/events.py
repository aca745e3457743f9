"""The audit trail: appended, never changed, read here and taken away as a file."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import SignedInRequest
from accounts.models import Event
from dashboard.console.access import viewers_only
from dashboard.console.export import CHUNK, EVENT_COLUMNS, csv_response, event_record, json_lines_response
from dashboard.console.filters import EventFilter


@viewers_only
@require_GET
def event_list(request: SignedInRequest) -> HttpResponse:
    """Show the audit trail as the filters say, newest first, a page at a time."""
    now = timezone.now()
    filters = EventFilter(request.GET)
    page = filters.keyset.page(filters.narrow(_events(), now), request.GET.get("after", ""))
    return render(request, "console/events.html", {"filters": filters, "page": page, "now": now})


@viewers_only
@require_GET
def export_csv(request: SignedInRequest) -> StreamingHttpResponse:
    """Stream the events of the list as CSV."""
    return csv_response("events", EVENT_COLUMNS, map(event_record, _wanted(request).iterator(CHUNK)))


@viewers_only
@require_GET
def export_json_lines(request: SignedInRequest) -> StreamingHttpResponse:
    """Stream the events of the list as JSON, one a line."""
    return json_lines_response("events", map(event_record, _wanted(request).iterator(CHUNK)))


def _wanted(request: SignedInRequest) -> QuerySet[Event]:
    filters = EventFilter(request.GET)
    return filters.keyset.ordered(filters.narrow(_events(), timezone.now()))


def _events() -> QuerySet[Event]:
    events: QuerySet[Event] = Event.objects.select_related("user", "actor")
    return events
