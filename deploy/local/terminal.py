"""What bin/up and bin/test say while they work: one calm line per step."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def is_interactive() -> bool:
    """Tell whether a person watches, rather than a file or a pipe."""
    return sys.stdout.isatty()


def coloured(text: str, code: str) -> str:
    """Return the text in an ANSI colour, if anyone will see colours (https://no-color.org)."""
    if not is_interactive() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{code}m{text}\033[0m"


def bold(text: str) -> str:
    """Return the text in bold."""
    return coloured(text, "1")


def dim(text: str) -> str:
    """Return the text greyed."""
    return coloured(text, "2")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fail(message: str) -> None:
    """Print the sentence that says what went wrong and what to do."""
    sys.stderr.write(f"\n{coloured(message, '31')}\n")


class Step:
    """One step under way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.began = time.monotonic()
        self._shown = 0

    def tick(self) -> None:
        """Show that a long step is still running."""
        seconds = int(time.monotonic() - self.began)
        if is_interactive() and seconds > self._shown:
            self._shown = seconds
            sys.stdout.write(f"\r  {dim('..')} {self.name} {dim(f'{seconds} s')} ")
            sys.stdout.flush()


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Print the step's name when it starts and how long it took when it ends."""
    current = Step(name)
    if is_interactive():
        sys.stdout.write(f"  {dim('..')} {name} ")
    else:
        sys.stdout.write(f"  .. {name}\n")
    sys.stdout.flush()
    try:
        yield current
    except BaseException:
        if is_interactive():
            sys.stdout.write("\n")
        raise
    took = dim(f"{time.monotonic() - current.began:.1f} s")
    start = "\r" if is_interactive() else ""
    sys.stdout.write(f"{start}  {coloured('ok', '32')} {name} {took}      \n")
    sys.stdout.flush()
