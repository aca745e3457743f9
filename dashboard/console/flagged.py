"""Sessions that their owners did not recognise: over already, and listed until an operator has looked into them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.http import SignedInRequest
from accounts.models import EndedSession
from dashboard.console.export import FLAGGED_COLUMNS, csv_response, flagged_record
from dashboard.console.filter_form import FilterForm, no_file, search_field, state_field
from dashboard.console.search import sessions_matching
from dashboard.paging import Keyset


class FlaggedFilter(FilterForm):
    """The filters of the list of sessions as far as they make sense for sessions that are over."""

    q = search_field(_("The beginning of an e-mail address, or a whole subject, session id or IP address."))
    state = state_field()
    # Whoever has waited longest comes first.
    keyset = Keyset("flagged_at", "public_id", descending=False)

    def narrow(self, rows: QuerySet[EndedSession]) -> QuerySet[EndedSession]:
        """Keep the sessions that are searched for."""
        if not self.is_valid():
            return rows.none()
        return rows.filter(sessions_matching(self.value("q")).condition) if self.value("q") else rows


def flagged_list(request: SignedInRequest) -> HttpResponse:
    """List the flagged sessions that nobody has looked into yet, a page at a time."""
    filters = FlaggedFilter(request.GET)
    page = filters.keyset.page(filters.narrow(_flagged()), request.GET.get("after", ""))
    return render(request, "console/flagged.html", {"filters": filters, "page": page, "now": timezone.now()})


def export_flagged(request: SignedInRequest, now: datetime) -> HttpResponseBase:
    """Stream the flagged sessions of the list as CSV."""
    filters = FlaggedFilter(request.GET)
    if not filters.is_valid():
        return no_file()
    rows = filters.keyset.walk(filters.narrow(_flagged()))
    return csv_response("flagged-sessions", FLAGGED_COLUMNS, (flagged_record(row, now) for row in rows))


def _flagged() -> QuerySet[EndedSession]:
    return EndedSession.objects.flagged().select_related("user", "revocation")
