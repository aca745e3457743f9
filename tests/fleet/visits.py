"""What each page load came to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What somebody got who loaded a page."""

    GOOD = "the page"
    PUT_OFF = "503: try again in a moment"
    FAILED = "another 5xx, or no answer"
    ONCE_MORE = "signing in begins anew"
    SIGNED_OUT = "asked to sign in"
    NOT_THEIRS = "somebody else's page"
    ODD = "anything else"


@dataclass(frozen=True)
class Visit:
    """One request of one person; times are `time.monotonic()`."""

    email: str
    method: str
    path: str
    outcome: Outcome
    status: int
    started: float
    ended: float

    @property
    def may_be_repeated(self) -> bool:
        """Whether the proxy asks another host if one breaks off: not what was a form, nor what has begun to arrive."""
        return self.method == "GET" and self.status != 0


class Visits:
    """Every request there has been."""

    def __init__(self) -> None:
        self._visits: list[Visit] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Visit]:
        with self._lock:
            return iter(list(self._visits))

    def add(self, visit: Visit) -> None:
        with self._lock:
            self._visits.append(visit)
