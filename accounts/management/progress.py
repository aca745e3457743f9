"""A progress line for commands that take long."""

from __future__ import annotations

import sys
import time

WIDTH = 30


class Progress:
    """Shows how far a job is: a bar that redraws itself on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, total: int, what: str) -> None:
        self.total = total
        self.what = what
        self.done = 0
        self._stream = sys.stderr
        self._every = 0.1 if self._stream.isatty() else 10.0
        self._next = 0.0

    def step(self, count: int = 1) -> None:
        """Note that so many more are done."""
        self.done += count
        if time.monotonic() >= self._next:
            self._draw("" if self._stream.isatty() else "\n")
            self._next = time.monotonic() + self._every

    def finish(self) -> None:
        """Draw the last state."""
        self._draw("\n")

    def _draw(self, end: str) -> None:
        share = self.done / self.total if self.total else 1.0
        bar = "#" * round(WIDTH * min(share, 1.0))
        start = "\r" if self._stream.isatty() else ""
        self._stream.write(f"{start}[{bar:<{WIDTH}}] {self.done}/{self.total} {self.what}{end}")
        self._stream.flush()
