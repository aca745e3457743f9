"""Two hundred requests at once on one session whose access token has expired: how many refresh calls, how long a wait.

The app under gunicorn with four workers, on PostgreSQL; the user pool takes a while to answer. Everybody has to wait
for that: what counts is what comes on top, beside what as many requests take on a session that needs no refresh.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import django

from tests.bench.load import p99

if TYPE_CHECKING:
    from tests.concurrency.support import Site
    from tests.servers import HttpBrowser

ROUNDS, REQUESTS, WORKERS, THREADS = 5, 200, 4, 16
PROVIDER_SECONDS = 0.5


def main(rounds: int = ROUNDS, requests: int = REQUESTS, workers: int = WORKERS) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.concurrency.support import REFRESH, LatePool, Site
    from tests.servers import AppServer, PostgresDatabases, PostgresServer, orm_alias

    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = PostgresDatabases(stack.enter_context(PostgresServer())).create()
        pool = stack.enter_context(LatePool())
        pool.rotation, pool.grace_seconds = True, 0.0
        variables = pool.environment() | {"DATABASE_URL": url, "RATE_LIMIT_FACTOR": "0"}
        server = stack.enter_context(
            AppServer(variables, log=directory / "gunicorn.log", workers=workers, threads=THREADS)
        )
        pool.allow_site(server.url)
        site = Site(pool, server, url, stack.enter_context(orm_alias(url)))
        pool.slow(REFRESH, PROVIDER_SECONDS)
        print(f"{'round':<8}{'refresh calls':>14}{'failed':>8}{'fresh p99':>12}{'expired p99':>13}{'on top':>10}")  # noqa: T201
        added = [stampede(site, number, requests) for number in range(1, rounds + 1)]
        print(f"median of what comes on top of the provider's own {PROVIDER_SECONDS} s: {median(added):.2f} s")  # noqa: T201


def stampede(site: Site, number: int, requests: int) -> float:
    """Send the requests to a session of its own, fresh and then expired; return the seconds on top."""
    browser = site.user()
    fresh, _ = rush(browser, requests)
    site.expire_access_tokens(browser.person)
    site.pool.calls.clear()
    expired, failed = rush(browser, requests)
    more = p99(expired) - PROVIDER_SECONDS
    print(  # noqa: T201
        f"{number:<8}{len(site.refreshes()):>14}{failed:>8}{p99(fresh):>10.2f} s{p99(expired):>11.2f} s{more:>8.2f} s",
        flush=True,
    )
    return more


def rush(browser: HttpBrowser, requests: int) -> tuple[list[float], int]:
    """Send the requests at once; return the seconds that each took, and how many were not answered with the page."""
    from tests.servers import at_once

    def load() -> tuple[float, int]:
        start = time.perf_counter()
        status = browser.get("/api/session/").status_code
        return time.perf_counter() - start, status

    answers = at_once([load] * requests)
    return [seconds for seconds, _ in answers], sum(status != 200 for _, status in answers)


if __name__ == "__main__":
    main()
