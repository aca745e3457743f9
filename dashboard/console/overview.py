"""The console's first page: what needs somebody now, what tokens are doing, and the last day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Exists, Func, IntegerField, Model, QuerySet, Subquery, Value
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts import measuring
from accounts.cognito.breaker import FAILURES_TO_OPEN
from accounts.conf import api_breaker, token_endpoint_breaker
from accounts.http import SignedInRequest
from accounts.models import EndedSession, Event, Revocation, Session, TokenHealth, User
from dashboard.console import measures
from dashboard.console.access import viewers_only
from dashboard.console.charts import charts, count_by_hour, hours_until, rows_of
from dashboard.console.filter_form import FLAGGED

# Counting stops there: a page for three in the morning must not wait for a million rows.
MOST_COUNTED = 5000
MOST_ALARMS = 1000
DAY = timedelta(days=1)


class BoundedCount(Subquery):
    """Counts the rows of a sliced queryset inside another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that needs somebody; `count` stops at MOST_ALARMS."""

    title: str | Promise
    advice: str | Promise
    count: int
    url: str

    @property
    def is_more(self) -> bool:
        return self.count >= MOST_ALARMS


@viewers_only
@require_GET
def overview(request: SignedInRequest) -> HttpResponse:
    """Show the state of everything on one page."""
    now = timezone.now()
    live = Session.objects.count_by_health(now, most=MOST_COUNTED)
    hours = hours_until(now)
    day = count_by_hour(hours)
    drawn = charts(day.counts, hours)
    figures = _figures(request.user, now)
    context = {
        "alarms": [alarm for alarm in alarms(figures) if alarm.count],
        "oldest_pending": figures["oldest_pending"],
        "health_counts": [(health, live[health.value]) for health in TokenHealth.of_live()],
        "live": sum(live.values()),
        "most": MOST_COUNTED,
        "is_sample": figures["has_more"],
        "estimate": figures["estimate"],
        "charts": drawn,
        "counted_until": day.counted_until,
        "table": [{"hour": bars[0].hour, "counts": [bar.count for bar in bars]} for bars in rows_of(drawn)],
        "hours": hours,
        "latencies": measures.refresh_latencies(),
        "is_of_this_process_only": measuring.is_of_this_process_only(),
        "now": now,
    }
    return render(request, "console/overview.html", context)


def alarms(figures: dict[str, Any]) -> list[Alarm]:
    """Return what may need somebody, most urgent first."""
    return [
        Alarm(
            _("Refresh token reused"),
            _("Somebody used a refresh token that had been replaced: it may have been stolen. Look at the person."),
            figures["reused"],
            _link("console_events", kind=Event.Kind.REFRESH_REUSED, since="1d"),
        ),
        Alarm(
            _("Not recognised by their owners"),
            _("Somebody else may have been signed in. These sessions are over; find out who it was, then settle them."),
            figures["flagged"],
            _link("console_sessions", state=FLAGGED),
        ),
        Alarm(
            _("Cognito does not answer"),
            _("So many calls in a row went unanswered, as this process knows it. People stay signed in meanwhile."),
            figures["unanswered"],
            reverse("console_health"),
        ),
        Alarm(
            _("Revocation failing"),
            _("Over here, but Cognito could not be told of these ends so far. The list says why; it is tried again."),
            figures["untold"],
            _link("console_revocations", when="failing"),
        ),
        Alarm(
            _("Revocation late"),
            _("Cognito should long have been told that these sessions are over. Is the worker running?"),
            figures["late"],
            _link("console_revocations", state=Revocation.State.PENDING, when="late"),
        ),
        Alarm(
            _("Refresh failing"),
            _("These people stay signed in, but their tokens cannot be renewed. Is Cognito reachable?"),
            figures["failing"],
            _link("console_sessions", health=TokenHealth.REFRESH_FAILING),
        ),
        Alarm(
            _("Revocation given up"),
            _("In the last 24 hours. Those refresh tokens live until they expire by themselves."),
            figures["given_up"],
            _link("console_revocations", state=Revocation.State.GIVEN_UP, when="day"),
        ),
    ]


def _figures(user: User, now: datetime) -> dict[str, Any]:
    """Return the numbers behind the alarms, those of the database by one query."""
    reused = Event.objects.filter(kind=Event.Kind.REFRESH_REUSED, at__gt=now - DAY)
    given_up = Revocation.objects.filter(state=Revocation.State.GIVEN_UP, settled_at__gt=now - DAY)
    failing = Session.objects.live(now).in_health(TokenHealth.REFRESH_FAILING, now)
    oldest = Revocation.objects.pending().order_by("created_at").values("created_at")
    figures: dict[str, Any] = User.objects.values(  # type: ignore[assignment]
        reused=_count(reused),
        flagged=_count(EndedSession.objects.flagged()),
        late=_count(Revocation.objects.late(now)),
        untold=_count(Revocation.objects.pending().filter(attempts__gt=0)),
        failing=_count(failing),
        given_up=_count(given_up),
        oldest_pending=Subquery(oldest[:1]),
        has_more=Exists(Session.objects.all()[MOST_COUNTED : MOST_COUNTED + 1]),
        estimate=_estimated_rows(Session),
    ).get(pk=user.pk)
    return figures | {"unanswered": _unanswered()}


def _unanswered() -> int:
    """Return how many calls in a row this process got no answer to; 0 while they are too few to tell."""
    failures = max(api_breaker().failures, token_endpoint_breaker().failures)
    return failures if failures >= FAILURES_TO_OPEN else 0


def _count(rows: QuerySet[Any]) -> BoundedCount:
    return BoundedCount(rows.order_by().values("pk")[:MOST_ALARMS])


def _estimated_rows(model: type[Model]) -> Any:
    """Return what PostgreSQL believes of a table's size since it last looked; nothing on another database."""
    if connection.vendor != "postgresql":
        return Value(None, output_field=IntegerField())
    estimate = "(SELECT NULLIF(reltuples, -1)::bigint FROM pg_class WHERE oid = %(expressions)s::regclass)"
    return Func(Value(model._meta.db_table), template=estimate, output_field=IntegerField())


def _link(name: str, **query: str) -> str:
    return f"{reverse(name)}?{urlencode({key: str(value) for key, value in query.items()})}"
