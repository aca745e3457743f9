from __future__ import annotations

from typing import NoReturn


class Redacted:
    """Base of values that hold secrets: they cannot be printed, copied, or pickled into a cache or a task queue.

    Subclasses are dataclasses with `slots`, else `vars` shows what they hold, and without a `repr` of their own. What
    remains is to ask for it: by the name of a field, or by `dataclasses.asdict`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: redacted>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds secrets and is not to be pickled or copied")
