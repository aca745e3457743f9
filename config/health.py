"""What load balancers ask; no session, no login, no call to AWS."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

logger = logging.getLogger(__name__)


class HealthMiddleware:
    """Answers /healthz and /readyz before anything looks at host or session.

    Load balancers ask each host by its address, which is no site's name. Put it before the middleware that does;
    SECURE_REDIRECT_EXEMPT keeps Django's SecurityMiddleware from sending them to https.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path == "/readyz":
            return readiness()
        return self.get_response(request)


def readiness() -> JsonResponse:
    """Say whether the process can serve, by 503 if the database is out of reach or older than the code.

    A cache that is down is named too, but nothing depends on it.
    """
    failed = {}
    for name, check in {"database": _database, "cache": _cache}.items():
        try:
            check()
        except Exception as error:  # whatever is wrong with a neighbour is the answer
            logger.warning("Not well: %s: %s", name, error)
            failed[name] = type(error).__name__
    ready = "database" not in failed
    return JsonResponse({"ready": ready, "failed": failed}, status=200 if ready else 503)


class UnappliedMigrationsError(Exception):
    """The database is older than the code."""


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    require_migrations()


@functools.cache
def require_migrations() -> None:
    """Raise UnappliedMigrationsError if the database is older than the code; not looked at again once it is not."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise UnappliedMigrationsError("run manage.py migrate")


def _cache() -> None:
    cache.get("readyz")
