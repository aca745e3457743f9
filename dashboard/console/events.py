"""The audit trail: appended, never changed, read here and taken away as a file."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import SignedInRequest
from accounts.models import Event
from dashboard.console.access import viewers_only
from dashboard.console.export import EVENT_COLUMNS, csv_response, event_record, json_lines_response
from dashboard.console.filters import EventFilter


@viewers_only
@require_GET
def event_list(request: SignedInRequest) -> HttpResponse:
    """Show the audit trail as the filters say, newest first, a page at a time."""
    now = timezone.now()
    filters = EventFilter(request.GET)
    rows, among = filters.narrow(_events(), now), filters.among(now)
    page = filters.keyset.page(rows, request.GET.get("after", ""), among=among)
    return render(request, "console/events.html", {"filters": filters, "page": page, "now": now})


@viewers_only
@require_GET
def export_csv(request: SignedInRequest) -> StreamingHttpResponse:
    """Stream the events of the list as CSV."""
    return csv_response("events", EVENT_COLUMNS, map(event_record, _wanted(request)))


@viewers_only
@require_GET
def export_json_lines(request: SignedInRequest) -> StreamingHttpResponse:
    """Stream the events of the list as JSON, one a line."""
    return json_lines_response("events", map(event_record, _wanted(request)))


def _wanted(request: SignedInRequest) -> Iterator[Event]:
    filters, now = EventFilter(request.GET), timezone.now()
    return filters.keyset.walk(filters.narrow(_events(), now), among=filters.among(now))


def _events() -> QuerySet[Event]:
    events: QuerySet[Event] = Event.objects.select_related("user", "actor")
    return events
