"""Requests a second and the slowest of a hundred, of the same page under gunicorn, beside a bare project."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import ExitStack
from statistics import median, quantiles

from tests.bench.same_page import databases
from tests.bench.served import Served

ARMS = ("bare", "gatehouse")
ROUNDS, SECONDS, CLIENTS = 40, 0.75, 4
PATIENCE_SECONDS = 30.0
# The whole head of an answer that is the page, with its length.
HEAD = re.compile(rb"HTTP/1\.1 200 .*?\r\nContent-Length: (\d+)\r\n(?:.*?\r\n)?\r\n", re.DOTALL | re.IGNORECASE)


def main() -> None:
    print(f"{'database':<12}{'project':<12}{'requests/s':>12}{'ratio':>8}{'p50':>10}{'p99':>10}{'ratio':>8}")  # noqa: T201
    for database, urls in databases():
        with ExitStack() as stack:
            arms = [stack.enter_context(Served(name, urls(name), threads=CLIENTS)) for name in ARMS]
            times: dict[str, list[list[float]]] = {arm.name: [] for arm in arms}
            for _ in range(ROUNDS):
                for arm in arms:
                    times[arm.name].append(press(arm))
            for arm in arms:
                rate = [len(own) / len(bare) for own, bare in zip(times[arm.name], times["bare"], strict=True)]
                slow = [p99(own) / p99(bare) for own, bare in zip(times[arm.name], times["bare"], strict=True)]
                every = [took for run in times[arm.name] for took in run]
                print(  # noqa: T201
                    f"{database:<12}{arm.name:<12}{len(every) / ROUNDS / SECONDS:>12.0f}{median(rate):>8.2f}"
                    f"{median(every) * 1000:>7.1f} ms{p99(every) * 1000:>7.1f} ms{median(slow):>8.2f}",
                    flush=True,
                )


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


def press(served: Served) -> list[float]:
    """Have each client load the page again and again for a while; return how long each answer took, in seconds."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    clients = [threading.Thread(target=_client, args=(served, times, end)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return times


def _client(served: Served, times: list[float], end: float) -> None:
    """Load the page over one connection, with a client that computes next to nothing: it shares the machine."""
    head = ("GET /bench/ HTTP/1.1", "Host: 127.0.0.1", "Accept: text/html", f"Cookie: {served.cookie}", "", "")
    request = "\r\n".join(head).encode()
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE_SECONDS) as connection:
        while (start := time.perf_counter()) < end:
            connection.sendall(request)
            _read_answer(connection)
            times.append(time.perf_counter() - start)


def _read_answer(connection: socket.socket) -> None:
    """Read one whole answer; raise RuntimeError if it is not the page."""
    answer = b""
    while (head := HEAD.match(answer)) is None or len(answer) < head.end() + int(head[1]):
        if not (part := connection.recv(65536)):
            raise RuntimeError(f"not the page: {answer[:200]!r}")
        answer += part


if __name__ == "__main__":
    main()
