"""What a worker process weighs, and how long a new process takes until its first answer, beside a bare project."""

from __future__ import annotations

from itertools import islice, product
from statistics import median

from tests.bench.same_page import databases
from tests.bench.served import Served

ARMS = ("bare", "gatehouse")
# A process that has called Cognito.
CALLING = "... calling"
STARTS, REQUESTS, CALLS, WORKERS = 15, 200, 20, 2
MEBIBYTE = 1024 * 1024


def main() -> None:
    print(f"{'project':<12}{'first answer':>14}{'ratio':>8}{'all there':>11}{'USS/worker':>14}{'more':>11}")  # noqa: T201
    first: dict[str, list[float]] = {arm: [] for arm in ARMS}
    complete: dict[str, list[float]] = {arm: [] for arm in ARMS}
    weights: dict[str, list[float]] = {name: [] for name in (*ARMS, CALLING)}
    for _database, urls in islice(databases(), 1):
        for round_number, arm in product(range(STARTS), ARMS):
            with Served(arm, urls(f"{arm}{round_number}"), workers=WORKERS) as served:
                first[arm].append(served.first_answer)
                complete[arm].append(served.complete)
                load(served, "/bench/", REQUESTS)
                weights[arm].extend(weigh(served))
                if arm == "gatehouse":
                    load(served, "/bench/cognito/", CALLS)
                    weights[CALLING].extend(weigh(served))
    for name, own in weights.items():
        start = " " * 33
        if name in first:
            ratio = median(mine / bare for mine, bare in zip(first[name], first["bare"], strict=True))
            start = f"{median(first[name]):>12.2f} s{ratio:>8.2f}{median(complete[name]):>9.2f} s"
        more = median(own) - median(weights["bare"])
        print(f"{name:<12}{start}{median(own):>10.1f} MiB{more:>7.1f} MiB")  # noqa: T201


def load(served: Served, path: str, times: int) -> None:
    """Load a page so often that every worker has served it."""
    for _ in range(times):
        served.get(connection := served.connect(), path)
        connection.close()


def weigh(served: Served) -> list[float]:
    """Return what each worker holds of memory for itself alone (USS, in MiB)."""
    return [worker.memory_full_info().uss / MEBIBYTE for worker in served.workers()]


if __name__ == "__main__":
    main()
