"""Writes that can wait: what they note or claim is noted or claimed by a later request."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError

logger = logging.getLogger(__name__)
T = TypeVar("T")


def if_writable(write: Callable[[], T]) -> T | None:
    """Return what `write` returns, or None if the database is locked or takes no writes now."""
    try:
        return write()
    except DatabaseError as error:
        logger.warning("The database takes no writes now: %s", error)
        return None
