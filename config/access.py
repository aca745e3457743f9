"""One log record and one measurement of each request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]

# Asked every few seconds by load balancers and Prometheus.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
PATH_MAX_LENGTH = 200


class AccessMiddleware:
    """Logs each request by its path, without its query: there the authorization response has its code."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = self.get_response(request)
        _log(request, response, seconds=time.perf_counter() - start)
        return response


def view_name(request: HttpRequest) -> str:
    """Return the name of the view that answered; "" if none did: a file, a probe, nothing at all."""
    return request.resolver_match.view_name if request.resolver_match else ""


def _log(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    level = logging.DEBUG if request.path in PROBES else logging.INFO
    if not logger.isEnabledFor(level):
        return
    # A stranger chooses the path: what is not printable must not make lines of its own.
    path = request.path[:PATH_MAX_LENGTH].encode("unicode_escape").decode("ascii")
    milliseconds = round(seconds * 1000)
    fields = {
        "method": request.method,
        "path": path,
        "view": view_name(request),
        "status": response.status_code,
        "ms": milliseconds,
    }
    logger.log(
        level,
        "%s %s %d %d ms",
        request.method,
        path,
        response.status_code,
        milliseconds,
        extra={"fields": fields},
    )
