"""How the calls to Cognito fare: each is told to every sink, and one sink tallies them in Django's cache.

The tally has a key for each minute, operation and cell; a cell is a range of seconds of calls that succeeded, or the
outcome of one that did not. Shared by the fleet if the cache is, else of this process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from django.conf import settings

from accounts import soft_cache
from accounts.cognito.observing import OUTCOMES, Observer

OPERATIONS = (
    *("exchange", "check", "jwks", "get_user", "refresh", "revoke", "global_sign_out"),
    *("admin_get_user", "admin_user_global_sign_out"),
)
STEPS = ("sign_in", "session_refresh", "session_probe", "revocation")
# Upper ends of the ranges, in seconds; the last one has none. The longest time-out is 10 seconds.
BOUNDS = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
CELLS = (*map(str, range(len(BOUNDS) + 1)), *OUTCOMES[1:])
KEPT_MINUTES = 61
# A cache that is out of reach is not asked again for so long: no call to Cognito should wait for it twice.
REST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Tally:
    """How the calls of one operation fared in some minutes: how many succeeded in each range, and each way to fail."""

    operation: str
    minutes: int
    ranges: tuple[int, ...]
    failures: dict[str, int]

    @property
    def calls(self) -> int:
        return sum(self.ranges) + self.failed

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    def percentile(self, share: float) -> float | None:
        """Return the seconds within which this share of the calls that succeeded was answered.

        It is the upper end of a range: infinite in the last one, None if no call succeeded.
        """
        wanted, seen = share * sum(self.ranges), 0
        for bound, count in zip((*BOUNDS, float("inf")), self.ranges, strict=True):
            seen += count
            if count and seen >= wanted:
                return bound
        return None


class CacheTally:
    """The sink that counts in Django's cache, by one count a call."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    def __call__(self, operation: str, outcome: str, seconds: float) -> None:
        """Count one call; an operation that is not in OPERATIONS has no place in the tally."""
        if operation not in OPERATIONS or time.monotonic() < self._rests_until:
            return
        cell = _cell(seconds) if outcome == "ok" else outcome
        if not soft_cache.count(_key(_minute(), operation, cell), seconds=KEPT_MINUTES * 60):
            self._rests_until = time.monotonic() + REST_SECONDS


cache_tally = CacheTally()
sinks: list[Observer] = [cache_tally]


def observe(operation: str, outcome: str, seconds: float) -> None:
    """Tell every sink of one call to Cognito, or of one step of ours that such calls are part of: STEPS."""
    for sink in sinks:
        sink(operation, outcome, seconds)


def read(minutes: int, operations: tuple[str, ...] = OPERATIONS, *, until: int = 0) -> list[Tally] | None:
    """Return what was tallied in so many minutes; None if the cache is out of reach.

    The last of them is the minute under way, or the whole one that began `until` minutes before it.
    """
    last = _minute() - until
    keys = {
        (operation, cell, minute): _key(minute, operation, cell)
        for operation, cell, minute in product(operations, CELLS, range(last - minutes + 1, last + 1))
    }
    found = soft_cache.get_many(keys.values())
    if found is None:
        return None
    counts = dict.fromkeys(product(operations, CELLS), 0)
    for (operation, cell, _), key in keys.items():
        counts[operation, cell] += found.get(key, 0)
    return list(_tallies(counts, minutes, operations))


def is_of_this_process_only() -> bool:
    """Whether each process has a cache of its own."""
    return bool(settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"))


def _tallies(counts: dict[tuple[str, str], int], minutes: int, operations: tuple[str, ...]) -> Iterator[Tally]:
    for operation in operations:
        yield Tally(
            operation,
            minutes,
            ranges=tuple(counts[operation, cell] for cell in CELLS[: len(BOUNDS) + 1]),
            failures={outcome: counts[operation, outcome] for outcome in OUTCOMES[1:]},
        )


def _cell(seconds: float) -> str:
    return str(next((number for number, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS)))


def _minute() -> int:
    return int(time.time() // 60)


def _key(minute: int, operation: str, cell: str) -> str:
    return f"calls:{minute}:{operation}:{cell}"
