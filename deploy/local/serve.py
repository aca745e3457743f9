"""Runs the app and the local user pool side by side until one of them ends or someone stops them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from honcho.manager import Manager
from honcho.printer import Message, Printer

READY_SECONDS = 60
STOPPED = re.compile(r"(\w+) stopped \(rc=")


class LogPrinter(Printer):
    """Writes what each process prints to a log of its own; once `is_open`, also the app's lines to the terminal."""

    def __init__(self, directory: Path) -> None:
        super().__init__(sys.stdout)
        self.is_open = False
        self.first_stopped = ""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._logs: dict[str, TextIO] = {}

    def write(self, message: Message) -> None:
        text = message.data.decode("utf-8", "replace") if isinstance(message.data, bytes) else message.data
        if message.name not in self._logs:
            self._logs[message.name] = (self._directory / f"{message.name}.log").open("w", buffering=1)
        self._logs[message.name].write(text)
        if message.name == "system":
            stopped = STOPPED.match(text)
            self.first_stopped = self.first_stopped or (stopped[1] if stopped else "")
        elif self.is_open and message.name != "pool":
            super().write(message)


class ProcessGroup(Manager):
    """honcho's manager, with a callback once everything was started and a stop that cannot come too early."""

    def __init__(self, printer: LogPrinter, on_started: Callable[[], None]) -> None:
        super().__init__(printer)
        self._on_started = on_started

    def terminate(self) -> None:
        self._printer.is_open = False
        # honcho learns a process's id some moments after starting it and fails on a stop in between.
        if self._all_started():
            super().terminate()
        else:
            threading.Timer(0.05, self.terminate).start()

    def _start(self) -> None:
        # A terminal that closes hangs up on everything started from it. honcho's helpers must live to see the end of
        # the processes they watch; only this one takes it for a request to stop.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        super()._start()
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        # After the fork: a thread of ours must not be copied half-way through its work.
        threading.Thread(target=self._on_started, daemon=True).start()


class Server:
    """The processes that make up a running Gatehouse."""

    def __init__(self, logs: Path, is_ready: Callable[[], bool], announce: Callable[[], None]) -> None:
        self._logs = logs
        self._is_ready = is_ready
        self._announce = announce
        self._printer = LogPrinter(logs)
        self._group = ProcessGroup(self._printer, self._watch)
        self._problem = ""

    def add(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Add a process. `exec` spares the shell that would else stand between honcho and it."""
        self._group.add_process(name, f"exec {shlex.join(command)}", env=dict(environment))

    def run(self) -> tuple[int, str]:
        """Run until the end; return the exit status and, if that was not asked for, what went wrong."""
        self._group.loop()
        status = self._group.returncode
        if self._problem:
            return 1, self._problem
        if status in (128 + signal.SIGINT, 128 + signal.SIGTERM):
            return status, ""
        return 1, self._explain(f"{self._printer.first_stopped} stopped by itself", self._printer.first_stopped)

    def _watch(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if time.monotonic() > deadline:
                self._problem = self._explain(f"The app did not answer within {READY_SECONDS} s", "web")
                self._group.terminate()
                return
            time.sleep(0.1)
        self._announce()
        self._printer.is_open = True

    def _explain(self, what: str, name: str) -> str:
        log = self._logs / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        end = [f"  {line}" for line in lines[-15:]]
        return "\n".join([f"{what}. Once its cause is gone, run bin/up again. The end of {log}:", *end])
