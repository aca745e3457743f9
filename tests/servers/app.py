"""The app as it runs in production: gunicorn with its configuration file, a master and worker processes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from tests.servers.environment import PROJECT, environment

GUNICORN = Path(sys.executable).with_name("gunicorn")
BOOTED = re.compile(r"Booting worker with pid: (\d+)")
# Which worker answered what, after how many seconds.
ACCESS_LINE = "%(p)s %(m)s %(U)s %(s)s %(L)s"
ANSWERED = re.compile(r"<(\d+)> [A-Z]+ /")
START_SECONDS = 60.0
STOP_SECONDS = 10.0


class AppServer:
    """Serves the app on a loopback port of its own; what it prints goes to a file.

    `variables` are the app's settings: the user pool's, DATABASE_URL and whatever else differs. Hosts that serve
    one site share a `site_url`; without one the server is its own site.
    """

    def __init__(
        self, variables: Mapping[str, str], *, log: Path, workers: int = 4, threads: int = 8, site_url: str = ""
    ) -> None:
        self.variables = variables
        self.log = log
        self.workers = workers
        self.threads = threads
        self.port = 0
        self.is_stopping = False
        self._site_url = site_url
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Serve, once every worker has booted and the one that bridges the start is gone.

        After a stop, on the same port again.
        """
        self.is_stopping = False
        start = len(self.output()) if self.log.exists() else 0
        # Bound here and handed over, so that no other process can take the port in between.
        with socket.create_server(("127.0.0.1", self.port)) as listener, self.log.open("ab") as log:
            self.port = listener.getsockname()[1]
            self._process = subprocess.Popen(
                self._command(listener.fileno()),
                cwd=PROJECT,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        try:
            self._wait_for(lambda: self._has_started(start) and self._answers(), START_SECONDS)
        except BaseException:
            self.kill()
            raise

    def stop(self, patience: float = STOP_SECONDS) -> None:
        """Stop as a process manager does, by SIGTERM; whatever is left when its patience ends is killed."""
        if self._process is not None:
            self.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
            self.kill()

    def terminate(self) -> None:
        """Begin to stop: requests under way are finished, none is taken any more."""
        self.is_stopping = True
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Kill master and workers at once."""
        if self._process is not None:
            process, self._process = self._process, None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def worker_pids(self) -> list[int]:
        """Return the ids of the workers that are alive."""
        return [pid for pid in map(int, BOOTED.findall(self.output())) if _is_alive(pid)]

    def kill_workers(self) -> None:
        """Kill every worker as the kernel does when memory runs out; the master replaces them."""
        killed = self.worker_pids()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        self._wait_for(lambda: len(set(self.worker_pids()) - set(killed)) == self.workers, START_SECONDS)

    def freeze_workers(self) -> None:
        """Stop every worker's clock, as a machine that is suspended does; `thaw_workers` lets them go on."""
        for pid in self.worker_pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw_workers(self) -> None:
        for pid in self.worker_pids():
            os.kill(pid, signal.SIGCONT)

    def output(self, since: int = 0) -> str:
        """Return what the processes have printed, without the first `since` characters."""
        return self.log.read_text(errors="replace")[since:]

    def workers_that_answered(self, since: int = 0) -> set[int]:
        """Return the ids of the workers that have answered requests."""
        return {int(pid) for pid in ANSWERED.findall(self.output(since))}

    def _command(self, descriptor: int) -> list[str]:
        options = {
            "--config": "config/gunicorn.conf.py",
            "--bind": f"fd://{descriptor}",
            "--access-logfile": "-",
            "--access-logformat": ACCESS_LINE,
        }
        return [str(GUNICORN), *(part for option in options.items() for part in option)]

    def _environment(self) -> dict[str, str]:
        size = {"WEB_CONCURRENCY": str(self.workers), "WEB_THREADS": str(self.threads)}
        # A master that is killed leaves its files behind: where pytest tidies up.
        own = {"TMPDIR": str(self.log.parent)}
        return environment(**(size | own | {"SITE_URL": self._site_url or self.url} | dict(self.variables)))

    def _has_started(self, since: int) -> bool:
        """Tell whether all workers of this start are there, and no other."""
        booted = BOOTED.findall(self.output(since))
        return len(booted) > self.workers and len(self.worker_pids()) == self.workers

    def _answers(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/healthz", timeout=1).ok
        return False

    def _wait_for(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the app does not run; the end of its log:\n{self.output()[-5000:]}")
            time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
