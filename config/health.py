"""What load balancers ask; no session, no login, no call to AWS."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

logger = logging.getLogger(__name__)


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether the process can serve: database reachable, migrations applied, cache reachable; else 503."""
    checks = {"database": _database, "cache": _cache}
    failed = {}
    for name, check in checks.items():
        try:
            check()
        except Exception as error:  # whatever is wrong with a neighbour is the answer
            logger.warning("Not ready: %s: %s", name, error)
            failed[name] = type(error).__name__
    return JsonResponse({"ready": not failed, "failed": failed}, status=503 if failed else 200)


class UnappliedMigrationsError(Exception):
    """The database is older than the code."""


def _database() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise UnappliedMigrationsError("run manage.py migrate")


def _cache() -> None:
    cache.get("readyz")
