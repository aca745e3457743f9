"""Where the worker processes of one gunicorn keep their counts, so that whichever is scraped tells those of all.

prometheus-client writes a file per process. Workers come and go (`max_requests`), so a file is named after a worker's
slot, not its process id: who takes over a slot goes on with its counts, and the directory does not grow.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from itertools import count

from prometheus_client import values

_name = "master"
_directory = ""


def start() -> None:
    """Make the directory, a private one, before anything is imported that counts; once per master."""
    global _directory
    if not _directory:
        _directory = tempfile.mkdtemp(prefix="gatehouse-metrics-")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = _directory
        values.ValueClass = values.MultiProcessValue(lambda: _name)  # type: ignore[no-untyped-call]


def free_slot(taken: Iterable[int]) -> int:
    """Return the lowest number that no living worker has."""
    held = set(taken)
    return next(number for number in count(1) if number not in held)


def take_slot(slot: int) -> None:
    """Count into this slot's files from now on."""
    global _name
    _name = f"web{slot}"


def stop() -> None:
    """Remove the directory."""
    shutil.rmtree(_directory, ignore_errors=True)
