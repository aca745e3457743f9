"""Processes of the fleet that are no web server: each can be killed, stopped, and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.ministack import free_port
from tests.servers.environment import PROJECT, environment

START_SECONDS = 30.0
STOP_SECONDS = 30.0


class MissingToolError(Exception):
    """Something is not installed."""


def nginx() -> str:
    """Return the path of nginx, which is not on everybody's PATH; NGINX names it if it is elsewhere."""
    return _tool("NGINX", "nginx", "/usr/sbin/nginx")


def redis_server() -> str:
    """Return the path of Redis, or of Valkey; REDIS_SERVER names it if it is elsewhere."""
    return _tool("REDIS_SERVER", "redis-server", "valkey-server")


def _tool(variable: str, *names: str) -> str:
    for name in [os.environ.get(variable), *names]:
        if name and (path := shutil.which(name)):
            return path
    raise MissingToolError(f"{names[0]} was not found: install it, or name it in {variable}")


class Part:
    """A process with a log, killed at the latest when the fleet is taken down."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.log.stem} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill it at once, with whatever it has started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """Stop it by SIGTERM; it is killed if it has not ended after a while."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self.kill()

    def _run(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=PROJECT, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def _await_port(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"{self.log.stem} does not run:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)


class Command(Part):
    """A command of manage.py that goes on until it is stopped."""

    def __init__(self, *arguments: str, variables: Mapping[str, str], log: Path) -> None:
        super().__init__(log)
        self.arguments = arguments
        self.variables = variables

    def start(self) -> None:
        self._run([sys.executable, "manage.py", *self.arguments], environment(**self.variables))


class RedisServer(Part):
    """Redis, on the same port again after a stop, empty each time."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "redis.log")
        self.directory = directory
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"rediscache://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.directory, "save": '""', "appendonly": "no"}
        flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._run([redis_server(), *flags])
        self._await_port(self.port)
