"""What is told of every call to Cognito: which one, how it came out, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from accounts.cognito.errors import (
    InvalidGrantError,
    ProviderUnavailableError,
    RefusedError,
    ThrottledError,
)

# Told the operation, its outcome (one of OUTCOMES) and the seconds it took. It must not raise.
Observer = Callable[[str, str, float], None]
OUTCOMES = ("ok", "refused", "throttled", "unavailable", "error")


def observe_nothing(operation: str, outcome: str, seconds: float) -> None:
    """Let a call pass unnoticed."""


def outcome_of(error: BaseException) -> str:
    """Return the one word for how a call failed; "error" is a configuration, or a mistake, that somebody must mend."""
    if isinstance(error, RefusedError | InvalidGrantError):
        return "refused"
    if isinstance(error, ThrottledError):
        return "throttled"
    return "unavailable" if isinstance(error, ProviderUnavailableError) else "error"


@contextmanager
def observed(
    operation: str, observe: Observer, word_for: Callable[[BaseException], str] = outcome_of
) -> Iterator[None]:
    """Make a call inside the block, and tell `observe` how it came out: "ok", or the word for what was raised."""
    start, outcome = time.monotonic(), "ok"
    try:
        yield
    except BaseException as error:
        outcome = word_for(error)
        raise
    finally:
        observe(operation, outcome, time.monotonic() - start)
