"""What a worker process weighs, and how long a new process takes until its first answer, beside a bare project."""

from __future__ import annotations

from itertools import islice, product
from statistics import median

import psutil

from tests.bench.same_page import databases
from tests.bench.served import Served

ARMS = ("bare", "gatehouse")
STARTS, REQUESTS, WORKERS = 7, 200, 2
MEBIBYTE = 1024 * 1024


def main() -> None:
    print(f"{'project':<12}{'first answer':>14}{'ratio':>8}{'USS/worker':>13}{'more':>10}")  # noqa: T201
    first: dict[str, list[float]] = {arm: [] for arm in ARMS}
    weights: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for _database, urls in islice(databases(), 1):
        for round_number, arm in product(range(STARTS), ARMS):
            with Served(arm, urls(f"{arm}{round_number}"), workers=WORKERS) as served:
                first[arm].append(served.first_answer)
                weights[arm].append(weigh(served))
    for arm in ARMS:
        ratio = median(own / bare for own, bare in zip(first[arm], first["bare"], strict=True))
        weight, more = median(weights[arm]), median(weights[arm]) - median(weights["bare"])
        print(  # noqa: T201
            f"{arm:<12}{median(first[arm]):>12.2f} s{ratio:>8.2f}{weight:>9.1f} MiB{more:>6.1f} MiB"
        )


def weigh(served: Served) -> float:
    """Return what a worker holds of memory for itself alone (USS, in MiB) after some requests."""
    for _ in range(REQUESTS):
        served.get(connection := served.connect())
        connection.close()
    workers = psutil.Process(served.process.pid).children()
    return float(median(worker.memory_full_info().uss / MEBIBYTE for worker in workers))


if __name__ == "__main__":
    main()
