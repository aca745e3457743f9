"""A circuit breaker: a Cognito that does not answer must not occupy every thread that serves people."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from accounts.cognito.errors import ProviderUnavailableError, ThrottledError

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 10.0


class CircuitBreaker:
    """After five failures in a row, refuse calls for ten seconds, then let one through to see; per process.

    Only silence, 5xx and nonsense count as failures. A refusal or a throttled call is an answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again_at = 0.0

    @property
    def failures(self) -> int:
        """How many calls in a row have failed."""
        return self._failures

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now; the first one after that looks whether Cognito is back."""
        return self._failures >= FAILURES_TO_OPEN and self._closed_again_at > time.monotonic()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Make a call inside the block. Raise ProviderUnavailableError at once while the circuit is open."""
        self._enter()
        try:
            yield
        except ThrottledError:
            self._note(failed=False)
            raise
        except ProviderUnavailableError:
            self._note(failed=True)
            raise
        except BaseException:
            self._note(failed=False)
            raise
        self._note(failed=False)

    def _enter(self) -> None:
        with self._lock:
            if self._failures < FAILURES_TO_OPEN:
                return
            wait = self._closed_again_at - time.monotonic()
            if wait > 0:
                raise ProviderUnavailableError("not asked: it did not answer lately", retry_after=max(1, round(wait)))
            # This caller is the one that looks; the others wait for what it finds.
            self._closed_again_at = time.monotonic() + OPEN_SECONDS

    def _note(self, *, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= FAILURES_TO_OPEN:
                self._closed_again_at = time.monotonic() + OPEN_SECONDS
