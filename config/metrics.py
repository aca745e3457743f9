"""/metrics, for Prometheus, and the measuring of requests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from accounts import measuring, metrics
from config.access import view_name

REQUESTS = Histogram(
    "gatehouse_http_request_seconds",
    "Requests by the view that answered and the class of the status; no view: files, probes, unknown addresses",
    ["view", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    registry=metrics.REGISTRY,
)
ROWS = metrics.RowsCollector()


class MetricsMiddleware:
    """Measures each request, and answers /metrics before anything looks at host or session.

    Only who knows METRICS_TOKEN is answered. An address proves nothing: behind a proxy every request may come from the
    proxy's. Without a token nothing is measured, and there is no such page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        if metrics.count not in measuring.sinks:
            measuring.sinks.append(metrics.count)
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/metrics":
            return _exposition(request)
        start = time.perf_counter()
        response = self.get_response(request)
        REQUESTS.labels(view_name(request) or "none", _status(response)).observe(time.perf_counter() - start)
        return response


def _status(response: HttpResponse) -> str:
    """Return the class of the status; what the rate limits refuse stands by itself."""
    return "429" if response.status_code == 429 else f"{response.status_code // 100}xx"


def _exposition(request: HttpRequest) -> HttpResponse:
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    response = HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)
    response["Cache-Control"] = "no-store"
    return response


def registry() -> CollectorRegistry:
    """Return what is told: the counts of all processes of this gunicorn, or of this one, and what the rows say."""
    told = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(told)  # type: ignore[no-untyped-call]
    else:
        told.register(metrics.REGISTRY)
    told.register(ROWS)
    return told
