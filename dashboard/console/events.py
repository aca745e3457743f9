"""The audit trail: appended, never changed, read here and taken away as a file."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import SignedInRequest
from accounts.models import Event
from dashboard.console.access import viewers_only
from dashboard.console.export import EVENT_COLUMNS, Record, csv_response, event_record, json_lines_response
from dashboard.console.filter_form import no_file
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
def export_csv(request: SignedInRequest) -> HttpResponseBase:
    """Stream the events of the list as CSV."""
    filters = EventFilter(request.GET)
    return csv_response("events", EVENT_COLUMNS, _records(filters)) if filters.is_valid() else no_file()


@viewers_only
@require_GET
def export_json_lines(request: SignedInRequest) -> HttpResponseBase:
    """Stream the events of the list as JSON, one a line."""
    filters = EventFilter(request.GET)
    return json_lines_response("events", _records(filters)) if filters.is_valid() else no_file()


def _records(filters: EventFilter) -> Iterator[Record]:
    now = timezone.now()
    return map(event_record, filters.keyset.walk(filters.narrow(_events(), now), among=filters.among(now)))


def _events() -> QuerySet[Event]:
    events: QuerySet[Event] = Event.objects.select_related("user", "actor")
    return events
