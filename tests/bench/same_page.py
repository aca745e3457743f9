"""What an authenticated page costs: this project, a bare Django project, and the libraries a team would use otherwise.

Each arm is a process of its own that serves the same page in-process; they take turns, a few requests at a time, so
that whatever else the machine does hits all of them alike. What counts is the ratio to the bare project.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Self

from tests.servers import PostgresServer

ARMS = ("bare", "gatehouse", "mozilla", "allauth")
ROUNDS, REQUESTS = 60, 50


class Arm:
    """One project in a process of its own."""

    def __init__(self, name: str, database_url: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.arms", name, database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        first = self._answer()
        self.queries: list[str] = first["queries"]
        self.cookie: str = first["cookie"]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def milliseconds(self, requests: int) -> float:
        """Serve so many requests and return the CPU time of one."""
        assert self.process.stdin is not None
        print(requests, file=self.process.stdin, flush=True)
        return float(self._answer()["cpu"]) / requests * 1000

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


def main(rounds: int = ROUNDS, requests: int = REQUESTS) -> None:
    print(f"{'database':<12}{'project':<12}{'SQL':>5}{'writes':>8}{'CPU/request':>13}{'ratio':>8}")  # noqa: T201
    for database, urls in databases():
        with ExitStack() as stack:
            arms = [stack.enter_context(Arm(name, urls(name))) for name in ARMS]
            times = measure(arms, rounds, requests)
            for arm in arms:
                writes = sum(not query.lstrip().upper().startswith("SELECT") for query in arm.queries)
                ratio = median(own / bare for own, bare in zip(times[arm.name], times["bare"], strict=True))
                print(  # noqa: T201
                    f"{database:<12}{arm.name:<12}{len(arm.queries):>5}{writes:>8}"
                    f"{median(times[arm.name]):>10.3f} ms{ratio:>8.2f}",
                    flush=True,
                )


def measure(arms: list[Arm], rounds: int, requests: int) -> dict[str, list[float]]:
    """Have the arms take turns; return the CPU milliseconds of a request, by arm and round."""
    times: dict[str, list[float]] = {arm.name: [] for arm in arms}
    for _ in range(rounds):
        for arm in arms:
            times[arm.name].append(arm.milliseconds(requests))
    return times


def databases() -> Iterator[tuple[str, Any]]:
    """Yield a name, and what returns the DATABASE_URL of an empty database for each arm."""
    with tempfile.TemporaryDirectory() as directory:
        yield "SQLite", lambda arm: f"sqlite:///{Path(directory) / arm}.sqlite3"
    with PostgresServer() as server:

        def fresh(arm: str) -> str:
            server.execute(f"CREATE DATABASE {arm}")
            return server.url(arm)

        yield "PostgreSQL", fresh


if __name__ == "__main__":
    main()
