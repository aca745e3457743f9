"""Short commands bin/up runs on the way: several at once, their output in a log, none left behind."""

from __future__ import annotations

import os
import signal
import subprocess  # nosec B404  # the project's own commands
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class CommandFailedError(Exception):
    """A command ended with an error; `output` is what all of them printed."""

    def __init__(self, log: Path) -> None:
        self.log = log.relative_to(ROOT)
        self.output = log.read_text(errors="replace")
        super().__init__(f"{self.last_line} (all output: {self.log})")

    @property
    def last_line(self) -> str:
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1].strip() if lines else "It printed nothing."


def run_together(
    commands: Sequence[Sequence[str]],
    log: Path,
    tick: Callable[[], None],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run the commands at once and wait; stop them all if one fails or this process is told to stop."""
    log.parent.mkdir(parents=True, exist_ok=True)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("wb") as output:
            processes.extend(
                subprocess.Popen(  # nosec B603  # no shell, and no argument from outside
                    command,
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                for command in commands
            )
        while None in [process.poll() for process in processes]:
            if any(process.returncode for process in processes):
                break
            tick()
            time.sleep(0.05)
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
    if any(process.returncode for process in processes):
        raise CommandFailedError(log)
