from __future__ import annotations

from typing import NoReturn


class Redacted:
    """Base of values that hold secrets: they cannot be printed, and not be pickled into a cache or a task queue."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: redacted>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds secrets and is not to be pickled")
