"""A working copy of the project in which bin/up may do what it likes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
COPIED = ("accounts", "bin", "config", "dashboard", "deploy", "static", "templates")
GUIDE = "Gatehouse is running."


@dataclass
class WorkingCopy:
    """The files bin/up needs, in a directory of their own, with the virtual environments of this working copy."""

    path: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @classmethod
    def make(cls, path: Path, *, installed: bool = True) -> WorkingCopy:
        path.mkdir()
        for name in COPIED:
            shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
        for file in [*ROOT.glob("requirements*.txt"), ROOT / "manage.py"]:
            shutil.copy(file, path)
        (path / ".local").mkdir()
        if installed:
            (path / ".venv").symlink_to(ROOT / ".venv")
            (path / ".local" / "venv").symlink_to(ROOT / ".local" / "venv")
        return cls(path)

    def up(
        self, *arguments: object, environment: dict[str, str] | None = None, output: str = "output"
    ) -> subprocess.Popen[str]:
        """Start bin/up with its output in a file of that name."""
        with (self.path / output).open("w") as file:
            process = subprocess.Popen(
                [self.path / "bin" / "up", *map(str, arguments)],
                env=os.environ | (environment or {}),
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def up_and_running(self, *arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start bin/up and wait until it has said how to go on."""
        process = self.up(*arguments, environment=environment)
        self.wait_for(GUIDE, process)
        return process

    @property
    def demo(self) -> Any:
        """What bin/up left for scripts."""
        return json.loads((self.path / ".local" / "demo.json").read_text())

    @property
    def output(self) -> str:
        return (self.path / "output").read_text()

    def wait_for(self, text: str, process: subprocess.Popen[str], seconds: float = 40) -> None:
        """Wait until bin/up has printed the text."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def orphans(self, seconds: float = 10) -> list[str]:
        """Return what still runs out of this directory some moments after bin/up has ended."""
        deadline = time.monotonic() + seconds
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def processes(self) -> list[str]:
        """Return the command lines of all processes that run out of this directory."""
        listing = subprocess.run(["ps", "-ewwo", "pid=,args="], capture_output=True, text=True, check=True).stdout
        return [line for line in listing.splitlines() if f"{self.path}/" in line]

    def close(self) -> None:
        """Stop whatever still runs."""
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


def get(url: str) -> int:
    """Return the status of a GET; 0 if nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0
