"""Arms under gunicorn: started alike, with the workers and threads of the project's own configuration."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

import psutil

from tests.bench.same_page import Arm
from tests.servers.app import BOOTED

START_SECONDS = 60.0


class Served:
    """One arm's page under gunicorn, on a database in which somebody is signed in."""

    def __init__(self, name: str, database_url: str, *, workers: int = 1, threads: int = 4) -> None:
        self.name = name
        self._database_url = database_url
        self._sizes = {"--workers": workers, "--threads": threads}
        with Arm(name, database_url) as arm:
            self.cookie = arm.cookie

    def __enter__(self) -> Self:
        """Start, and note how long it takes until the first answer, and until all workers are there (seconds)."""
        # With byte code, as it is installed.
        arm = {"BENCH_ARM": self.name, "BENCH_DATABASE": self._database_url, "PYTHONDONTWRITEBYTECODE": ""}
        with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.NamedTemporaryFile("w+") as log:
            self.port = listener.getsockname()[1]
            start = time.perf_counter()
            self.process = subprocess.Popen(
                self._command(listener.fileno()),
                env=os.environ | arm,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
            try:
                connection = self.connect()
                if self.get(connection) != http.client.OK:
                    raise RuntimeError(f"{self.name} does not serve the page")
                self.first_answer = time.perf_counter() - start
                connection.close()
                self._await_workers(Path(log.name))
                self.complete = time.perf_counter() - start
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def workers(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return found

    def _await_workers(self, log: Path) -> None:
        """Wait until all workers are there. Ours makes one more, which goes when the last has come."""
        size = self._sizes["--workers"]
        made = size + 1 if self.name == "gatehouse" else size
        end = time.monotonic() + START_SECONDS
        while len(BOOTED.findall(log.read_text())) != made or len(self.workers()) != size:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name} has not the workers it should have:\n{log.read_text()}")
            time.sleep(0.05)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)

    def get(self, connection: http.client.HTTPConnection, path: str = "/bench/") -> int:
        """Load a page over a connection that is kept, and return the status."""
        connection.request("GET", path, headers={"Cookie": self.cookie, "Accept": "text/html"})
        response = connection.getresponse()
        response.read()
        return response.status

    def _command(self, listener: int) -> list[str]:
        sizes = [text for name, number in self._sizes.items() for text in (name, str(number))]
        gunicorn = [sys.executable, "-m", "gunicorn", "tests.bench.arms.wsgi", "--bind", f"fd://{listener}"]
        # Ours starts as it does in production, checks included; no worker is replaced while it is measured.
        own = ["--config", "config/gunicorn.conf.py", "--max-requests", "0"] if self.name == "gatehouse" else []
        return [*gunicorn, "--preload", "--worker-class", "gthread", "--no-control-socket", *own, *sizes]
