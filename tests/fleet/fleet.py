"""The fleet: everything that serves the site, and the ways in which its parts go and come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.fleet.parts import Command, RedisServer
from tests.fleet.pool import FleetPool
from tests.fleet.proxy import Proxy
from tests.servers import AppServer, PostgresServer
from tests.servers.environment import manage

HOSTS = 3
BACKGROUND = 2
WORKERS, THREADS = 2, 8
# Longer than gunicorn's graceful time-out.
PATIENCE_SECONDS = 25.0
# The documentation's advice: a migration that cannot get its lock gives up instead of queueing everybody behind it.
MIGRATE = {"PGOPTIONS": "-c lock_timeout=5s"}


@dataclass
class Release:
    """The processes of one release: web servers, workers and sweeps."""

    hosts: list[AppServer]
    workers: list[Command]
    sweeps: list[Command]

    def start(self) -> None:
        with ThreadPoolExecutor(HOSTS) as executor:
            list(executor.map(AppServer.start, self.hosts))
        for command in self.commands:
            command.start()

    @property
    def commands(self) -> list[Command]:
        return [*self.workers, *self.sweeps]

    def kill(self) -> None:
        """Kill whatever still runs."""
        for host in self.hosts:
            host.kill()
        for command in self.commands:
            command.kill()


class Fleet:
    """One site: nginx, three hosts, two workers, two sweeps, PostgreSQL, Redis, and the user pool."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.pool = FleetPool()
        self.proxy = Proxy(directory)
        self.redis = RedisServer(directory)
        self.postgres = PostgresServer()
        self.release_number = 0
        self._releases = ExitStack()

    @contextmanager
    def up(self) -> Iterator[None]:
        """Serve inside the block; whatever is left after it is killed."""
        with ExitStack() as stack:
            stack.enter_context(self.postgres)
            # Two releases at once, each thread with a connection, are more than the hundred PostgreSQL starts with.
            self.postgres.execute("ALTER SYSTEM SET max_connections = 300", "CREATE DATABASE fleet")
            self.restart_postgres()
            stack.enter_context(self.pool)
            for part in (self.redis, self.proxy):
                stack.callback(part.kill)
                part.start()
            self.pool.allow_site(self.proxy.site_url)
            stack.enter_context(self._releases)
            manage("migrate", variables=self.variables)
            self.release = self._started("tests.servers.settings")
            self.proxy.route([host.port for host in self.release.hosts])
            yield

    @property
    def database_url(self) -> str:
        return self.postgres.url("fleet")

    @property
    def variables(self) -> dict[str, str]:
        return self.pool.environment() | {
            "SITE_URL": self.proxy.site_url,
            "DATABASE_URL": self.database_url,
            "CACHE_URL": self.redis.url,
            "SECURE_PROXY_SSL_HEADER": "X-Forwarded-Proto",
            "TRUSTED_PROXIES": "127.0.0.1/32",
            # More often than the tokens are refreshed, so that both go on.
            "COGNITO_PROBE_SECONDS": "5",
        }

    def restart_postgres(self) -> None:
        self.postgres.stop()
        self.postgres.start()

    def revive(self) -> int:
        """Start again what has ended in the background, as a process manager does; return how many that were."""
        ended = [command for command in self.release.commands if not command.is_running]
        for command in ended:
            command.start()
        return len(ended)

    def roll_out(self) -> None:
        """Let the next release take over as docs/deployment.md says: migrate, start, wait, route, stop the old one."""
        old, settings = self.release, "tests.fleet.settings"
        manage("migrate", variables=self.variables | MIGRATE | {"DJANGO_SETTINGS_MODULE": settings})
        new = self._started(settings)
        for host in new.hosts:
            requests.get(f"{host.url}/readyz", timeout=10).raise_for_status()
        self.proxy.route([host.port for host in new.hosts])
        self.release = new
        with ThreadPoolExecutor(HOSTS + 2 * BACKGROUND) as executor:
            leaving = [executor.submit(host.stop, PATIENCE_SECONDS) for host in old.hosts]
            leaving += [executor.submit(command.stop) for command in old.commands]
            for each in leaving:
                each.result()

    def _started(self, settings: str) -> Release:
        self.release_number += 1
        variables = self.variables | {"DJANGO_SETTINGS_MODULE": settings}
        release = Release(
            [AppServer(variables, log=self._log("host", n), workers=WORKERS, threads=THREADS) for n in range(HOSTS)],
            [self._worker(variables, n) for n in range(BACKGROUND)],
            [Command("sweep", variables=variables, log=self._log("sweep", n)) for n in range(BACKGROUND)],
        )
        self._releases.callback(release.kill)
        release.start()
        return release

    def _worker(self, variables: Mapping[str, str], number: int) -> Command:
        log = self._log("worker", number)
        return Command("db_worker", "--worker-id", log.stem, variables=variables, log=log)

    def _log(self, kind: str, number: int) -> Path:
        # A directory for each: gunicorn's temporary files go beside the log.
        directory = self.directory / f"release-{self.release_number}"
        directory.mkdir(exist_ok=True)
        return directory / f"{kind}-{self.release_number}{'abc'[number]}.log"
