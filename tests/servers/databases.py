"""Fresh databases with every migration applied: migrated once, copied for whoever needs one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import environ
from django.db import connections

from tests.servers.environment import manage
from tests.servers.postgres import PostgresServer


class Databases(Protocol):
    """Where fresh databases come from."""

    def create(self) -> str:
        """Make a migrated, empty database and return its DATABASE_URL."""


class SqliteFiles:
    """SQLite databases, as files in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._numbers = count(1)

    def create(self) -> str:
        path = self.directory / f"{next(self._numbers)}.sqlite3"
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"

    @cached_property
    def _template(self) -> Path:
        path = self.directory / "migrated.sqlite3"
        manage("migrate", variables={"DATABASE_URL": f"sqlite:///{path}"})
        return path


class PostgresDatabases:
    """Databases of a PostgreSQL server."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._numbers = count(1)

    def create(self) -> str:
        name = f"test_{next(self._numbers)}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return self.server.url(name)

    @cached_property
    def _template(self) -> str:
        self.server.execute("CREATE DATABASE migrated")
        manage("migrate", variables={"DATABASE_URL": self.server.url("migrated")})
        return "migrated"


@contextmanager
def orm_alias(url: str) -> Iterator[str]:
    """Give the database of a running app a name in this process: `Session.objects.using(alias)`."""
    alias = f"served-{uuid4().hex}"
    config = environ.Env.db_url_config(url)
    connections.databases[alias] = connections.configure_settings({"default": {}, alias: config})[alias]
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias], connections.databases[alias]
