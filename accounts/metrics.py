"""What accounts tells Prometheus: how its steps and its calls to Cognito fare, and what stands in its rows.

Nothing in accounts needs it. Who wants it adds `count` to `measuring.sinks` and serves REGISTRY (config/metrics.py).
Labels have few values, all known beforehand: no person, no session, no address.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from accounts import measuring, tasks
from accounts.cognito.observing import OUTCOMES
from accounts.models import AuthorizationRequest, Chore, EndedSession, Revocation, Session

logger = logging.getLogger(__name__)

REGISTRY = CollectorRegistry()
BUCKETS = (*measuring.BOUNDS, 8.0, 12.0)
# Of more rows than this only so many are counted: a scrape costs the same however large the site is.
MOST = 10_000
# However many scrape, the rows are looked at so often.
KEPT_SECONDS = 10.0
HOUR = timedelta(hours=1)


def _step(name: str, meaning: str, *outcomes: str) -> Histogram:
    """Make a histogram with its series: one that appears with its first failure would show no increase by it."""
    histogram = Histogram(f"gatehouse_{name}_seconds", meaning, ["outcome"], buckets=BUCKETS, registry=REGISTRY)
    for outcome in outcomes:
        histogram.labels(outcome)
    return histogram


STEPS = {
    # Besides these, the name of the page that somebody got.
    "sign_in": _step(
        "sign_in", "Sign-ins, from the authorization response to the open session", "ok", "unavailable", "error"
    ),
    "session_refresh": _step("refresh", "Silent refreshes of sessions", "ok", "postponed", "ended", "error"),
    "session_probe": _step("probe", "Questions whether a person is still welcome", *OUTCOMES, "put_off"),
    "revocation": _step("revocation", "Tries to tell Cognito of an end, within requests", "settled", "postponed"),
}
CALLS = Histogram(
    "gatehouse_cognito_call_seconds",
    "Calls to Cognito by the web processes",
    ["operation", "outcome"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
KEYS_READ = Gauge(
    "gatehouse_jwks_read_timestamp_seconds",
    "When the signing keys were last read by any process",
    multiprocess_mode="max",
    registry=REGISTRY,
)
for _operation in measuring.OPERATIONS:
    for _outcome in OUTCOMES:
        CALLS.labels(_operation, _outcome)


def count(operation: str, outcome: str, seconds: float) -> None:
    """Count one call to Cognito, or one step of ours; a sink of `accounts.measuring`."""
    if operation in STEPS:
        STEPS[operation].labels(outcome).observe(seconds)
        return
    CALLS.labels(operation, outcome).observe(seconds)
    if (operation, outcome) == ("jwks", "ok"):
        KEYS_READ.set(time.time())


class RowsCollector:
    """Reads at each scrape, but not more often than every ten seconds, what no process can count by itself.

    The worker and the sweep have no port to scrape. What they have done, and what waits for them, stands in rows: the
    same numbers on every host.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._metrics: list[Metric] = []
        self._read_at = float("-inf")

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() - self._read_at >= KEPT_SECONDS:
                self._metrics = _read_rows(timezone.now())
                self._read_at = time.monotonic()
            return list(self._metrics)


def _read_rows(now: datetime) -> list[Metric]:
    """Return what the rows say, and whether they could be read: without the database a scrape is still answered."""
    readable = _gauge("rows_readable", "1 if the metrics that come from the database could be read", 1)
    try:
        return [readable, *(metric for read in READERS for metric in read(now))]
    except Exception as error:  # whatever is wrong with the database is the answer
        logger.warning("The rows cannot be read for /metrics: %s: %s", type(error).__name__, error)
        return [_gauge("rows_readable", readable.documentation, 0)]


def _sessions(now: datetime) -> Iterator[Metric]:
    by_health = Session.objects.live(now).count_by_health(now, most=MOST)
    yield _gauges("sessions", f"Live sessions, of the {MOST} used last", "health", by_health)
    ended = EndedSession.objects.filter(ended_at__gt=now - HOUR)
    yield _gauges("sessions_ended_last_hour", "Sessions that ended", "reason", _count_by("reason", ended))
    overdue = Session.objects.lapsed(now).order_by("expire_date").values_list("expire_date", flat=True).first()
    meaning = "How long the oldest session whose time is over waits for the worker to tidy it up"
    yield _gauge("sessions_overdue_seconds", meaning, _age(overdue, now))


def _revocations(now: datetime) -> Iterator[Metric]:
    pending = Revocation.objects.pending()
    yield _gauge("revocations_pending", f"Ends Cognito must still be told of, {MOST} at most", _count(pending))
    oldest = pending.order_by("created_at").values_list("created_at", flat=True).first()
    yield _gauge("revocations_oldest_pending_seconds", "How long the oldest of them waits", _age(oldest, now))
    settled = _count_by("state", Revocation.objects.filter(settled_at__gt=now - HOUR))
    yield _gauges("revocations_settled_last_hour", "Revocations that came to an end", "state", settled)


def _others(now: datetime) -> Iterator[Metric]:
    waiting = AuthorizationRequest.objects.filter(expires_at__gt=now)
    meaning = f"Sign-ins under way at the hosted UI, {MOST} at most"
    yield _gauge("authorization_requests_pending", meaning, _count(waiting))
    due = Chore.objects.filter(name=tasks.PRUNE).values_list("claimed_until", flat=True).first()
    yield _gauge("sweep_overdue_seconds", "How long ago the sweep should have started a task", _age(due, now))


READERS: tuple[Callable[[datetime], Iterator[Metric]], ...] = (_sessions, _revocations, _others)


def _count(rows: QuerySet[AuthorizationRequest] | QuerySet[Revocation]) -> int:
    return rows.order_by()[:MOST].count()


def _count_by(column: str, rows: QuerySet[EndedSession] | QuerySet[Revocation]) -> dict[str, int]:
    return dict(rows.order_by().values_list(column).annotate(Count("pk")))


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"gatehouse_{name}", meaning, value=value)


def _gauges(name: str, meaning: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"gatehouse_{name}", meaning, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
