"""Whether the console is as quick with a million sessions: `python -m tests.bench.console [--sizes 10000,1000000]`.

Seeds one PostgreSQL database for each size and asks for every page of the console in all of them in turn, so that what
else the machine does slows them alike. No page may take more than 1.5 times as long as with the first size, or more
than a fixed number of queries; if one does, the command fails. Figures are of one machine; compare the ratios.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from tests.bench.pages import Site

MOST_QUERIES, MOST_QUERIES_OF_OWN_PAGES = 6, 3
MOST_RATIO = 1.5
# What a process that has lost the processor for a moment waits to get it back: less than that proves nothing.
FLOOR_SECONDS = 0.003
WARM_UP = 2
PRUNED_BATCHES = 3


@dataclass
class Result:
    """One page, or one piece of work: the seconds of each run at every size, and its queries."""

    name: str
    most_queries: int = sys.maxsize
    queries: int = 0
    seconds: dict[int, list[float]] = field(default_factory=dict)

    def median(self, size: int) -> float:
        return statistics.median(self.seconds[size])

    def ratio(self, size: int) -> float:
        """Return how many times as long it takes as with the first size, pair by pair."""
        first = self.seconds[min(self.seconds)]
        return statistics.median(mine / other for mine, other in zip(self.seconds[size], first, strict=True))

    @property
    def is_good(self) -> bool:
        first = self.median(min(self.seconds))
        slower = [size for size in self.seconds if self.median(size) - first > FLOOR_SECONDS]
        return self.queries <= self.most_queries and all(self.ratio(size) <= MOST_RATIO for size in slower)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="numbers of live sessions, comma separated")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--only", default="", metavar="TEXT", help="measure only what has this in its name")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    # One line for each page would be thousands.
    logging.getLogger("config.access").setLevel(logging.WARNING)
    with seeded(sorted(map(int, options.sizes.split(",")))) as sites:
        results = measure(sites, options.runs, options.only)
        is_good = report(results)
        report_pruning(sites)
    sys.exit(not is_good)


@contextmanager
def seeded(sizes: list[int]) -> Iterator[list[Site]]:
    """Give a site of each size, all on one server."""
    from tests.bench.pages import Site
    from tests.bench.seed import seed
    from tests.servers import PostgresDatabases, PostgresServer, orm_alias

    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer())
        # Else it stops to write checkpoints while gigabytes come in.
        server.execute("ALTER SYSTEM SET max_wal_size = '16GB'", "SELECT pg_reload_conf()")
        databases = PostgresDatabases(server)
        sites = []
        for size in sizes:
            alias = stack.enter_context(orm_alias(databases.create()))
            seed(alias, size)
            sites.append(Site(alias, size))
        yield sites


def measure(sites: list[Site], runs: int, only: str = "") -> list[Result]:
    """Do everything so many times on each site, the sites in turn."""
    from accounts.management.progress import Progress

    wanted = [(name, most_queries) for name, most_queries in work(sites[0]) if only in name]
    results, progress = [], Progress(runs * len(wanted), "runs")
    for name, most_queries in wanted:
        result = Result(name, most_queries, seconds={site.size: [] for site in sites})
        for number in range(-WARM_UP, runs):
            for site in sites:
                took, queries = timed(site, dict(actions(site))[name], count=number == -1)
                result.queries = max(result.queries, queries)
                if number >= 0:
                    result.seconds[site.size].append(took)
            progress.step(number >= 0)
        results.append(result)
    progress.finish()
    return results


def work(site: Site) -> Iterator[tuple[str, int]]:
    """Yield what is measured, with the most queries that it may take."""
    for name, _ in actions(site):
        own, is_page = name in site.own, name in site.console
        yield name, MOST_QUERIES_OF_OWN_PAGES if own else MOST_QUERIES if is_page else sys.maxsize


def actions(site: Site) -> Iterator[tuple[str, Callable[[], None]]]:
    from functools import partial

    from django.urls import reverse

    for name, path in (site.console | site.own).items():
        yield name, partial(site.open, path)
    yield "sessions as CSV, first line", partial(site.first_line_of_csv, reverse("console_sessions_csv"))
    yield "events as CSV, first line", partial(site.first_line_of_csv, reverse("console_events_csv"))
    yield "ending twelve sessions of one person", site.end_everything_of_one_person


def timed(site: Site, action: Callable[[], object], *, count: bool = False) -> tuple[float, int]:
    """Return the seconds an action took, and its queries if they are to be counted."""
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    with site.as_default(), ExitStack() as stack:
        captured = stack.enter_context(CaptureQueriesContext(connections[site.alias])) if count else ()
        start = time.perf_counter()
        action()
        took = time.perf_counter() - start
    return took, len(captured)


def report(results: list[Result]) -> bool:
    """Print a table, and say whether every line of it is as it should be."""
    sizes = list(results[0].seconds)
    heads = "".join(f"{size:>11,} |" for size in sizes)
    print(f"| {'':<40} |{heads} ratio | queries |")  # noqa: T201
    print(f"|-{'-' * 40}-|{'-----------:|' * len(sizes)}------:|--------:|")  # noqa: T201
    for result in results:
        times = "".join(f"{result.median(size) * 1000:>8.1f} ms |" for size in sizes)
        verdict = "" if result.is_good else "  <- too much"
        print(f"| {result.name:<40} |{times}{result.ratio(sizes[-1]):>6.2f} | {result.queries:>7} |{verdict}")  # noqa: T201
    return all(result.is_good for result in results)


def report_pruning(sites: list[Site]) -> None:
    """Print how many rows a second the worker tidies up; this changes the sites, so it comes last."""
    for site in sites:
        with site.as_default():
            start = time.perf_counter()
            rows = sum(site.prune() for _ in range(PRUNED_BATCHES))
        print(f"pruning with {site.size:,} sessions: {rows / (time.perf_counter() - start):,.0f} rows a second")  # noqa: T201


if __name__ == "__main__":
    main()
