from __future__ import annotations

import random
from datetime import timedelta


def back_off(failures: int, *, first: timedelta, most: timedelta) -> timedelta:
    """Return how long to wait after so many earlier failures: doubling, bounded, and spread by a quarter either way."""
    wait: timedelta = min(first * 2 ** min(failures, 20), most)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311  # nosec B311  # spreads load
