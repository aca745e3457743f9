"""Django's cache for what may be forgotten at any time: a cache server that is down is like an empty one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.core.cache import cache

logger = logging.getLogger(__name__)


def get(key: str) -> Any:
    """Return the cached value, or None."""
    try:
        return cache.get(key)
    except Exception as error:  # each backend has its own errors, and none of them is the request's concern
        return _miss(error)


def get_many(keys: Iterable[str]) -> dict[str, Any] | None:
    """Return those of these keys that have a value; None if the cache is out of reach."""
    try:
        return dict(cache.get_many(list(keys)))
    except Exception as error:
        _miss(error)
        return None


def put(key: str, value: object, *, seconds: float) -> None:
    """Keep a value for so long, if the cache can."""
    try:
        cache.set(key, value, timeout=seconds)
    except Exception as error:
        _miss(error)


def count(key: str, *, seconds: float) -> int:
    """Count one more under this key and return the count; 0 if the cache cannot count."""
    try:
        cache.add(key, 0, timeout=seconds)
        return cache.incr(key)
    except Exception as error:
        _miss(error)
        return 0


def _miss(error: Exception) -> None:
    logger.warning("The cache is of no use now: %s: %s", type(error).__name__, error)
