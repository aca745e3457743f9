"""A circuit breaker: a Cognito that does not answer must not occupy every thread that serves people."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from accounts.cognito.errors import ProviderUnavailableError, ThrottledError
from accounts.cognito.observing import Observer, observe_nothing, observed

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 10.0
# How long a call waits for one of the places that may call at once.
PLACE_SECONDS = 0.2


class CircuitBreaker:
    """Bounds what calls that fail or hang may cost; one per process and neighbour.

    Only so many calls are under way at once. And after five failures in a row of one operation, its calls are refused
    for ten seconds; then one is let through to see. Only silence, 5xx and nonsense count as failures. A refusal or a
    throttled call is an answer, and so is a firewall's 4xx: what one person sent must not stop the calls of all others.
    `observe` is told of every call that was made; a call refused here was not.
    """

    def __init__(self, calls_at_once: int = 8, observe: Observer = observe_nothing) -> None:
        self._observe = observe
        self._places = threading.BoundedSemaphore(calls_at_once)
        self._lock = threading.Lock()
        self._failures: defaultdict[str, int] = defaultdict(int)
        self._closed_again_at: defaultdict[str, float] = defaultdict(float)

    @property
    def failures(self) -> int:
        """How many calls in a row have failed, of the operation that fares worst."""
        return max(self._failures.values(), default=0)

    @property
    def is_open(self) -> bool:
        """Whether calls of some operation are refused now; the first one after that looks whether Cognito is back."""
        now = time.monotonic()
        return any(self._is_broken(name) and until > now for name, until in list(self._closed_again_at.items()))

    @contextmanager
    def guard(self, operation: str) -> Iterator[None]:
        """Make a call inside the block. Raise ProviderUnavailableError at once while the circuit is open."""
        self._enter(operation)
        if not self._places.acquire(timeout=PLACE_SECONDS):
            raise ProviderUnavailableError("not asked: too many calls are under way", retry_after=1)
        failed = False
        try:
            with observed(operation, self._observe):
                yield
        except ThrottledError:
            raise
        except ProviderUnavailableError as error:
            failed = not error.turned_away
            raise
        finally:
            self._places.release()
            self._note(operation, failed=failed)

    def _enter(self, operation: str) -> None:
        with self._lock:
            if not self._is_broken(operation):
                return
            wait = self._closed_again_at[operation] - time.monotonic()
            if wait > 0:
                raise ProviderUnavailableError("not asked: it did not answer lately", retry_after=max(1, round(wait)))
            # This caller is the one that looks; the others wait for what it finds.
            self._closed_again_at[operation] = time.monotonic() + OPEN_SECONDS

    def _note(self, operation: str, *, failed: bool) -> None:
        with self._lock:
            self._failures[operation] = self._failures[operation] + 1 if failed else 0
            if self._is_broken(operation):
                self._closed_again_at[operation] = time.monotonic() + OPEN_SECONDS

    def _is_broken(self, operation: str) -> bool:
        return self._failures[operation] >= FAILURES_TO_OPEN
