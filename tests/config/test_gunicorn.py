"""Logs and metrics of the app as it runs: a master, two workers, every level of logging."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fake_user_pool import FakeUserPool
from tests.servers import AppServer, HttpBrowser, SqliteFiles
from tests.servers.environment import PROJECT, environment

TOKEN = "only-prometheus-knows"
DIRECTORIES = "gatehouse-metrics-*"

pytestmark = pytest.mark.slow


class Site:
    """The app, and the pool it signs people in with."""

    def __init__(self, server: AppServer, pool: FakeUserPool) -> None:
        self.server = server
        self.pool = pool

    def browser(self, email: str) -> HttpBrowser:
        return HttpBrowser(self.server.url, self.pool, self.pool.add_person(email, name="Uma User"))

    def lines(self) -> list[dict[str, Any]]:
        """Return what was logged since the app was loaded; before that nobody has read the settings."""
        return [json.loads(line) for line in self.server.output().splitlines() if line.startswith("{")]

    def scraped(self, sample: str) -> float:
        """Return one sample as a scrape tells it, 0 if it does not."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        text = requests.get(f"{self.server.url}/metrics", headers=headers, timeout=10).text
        return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{sample} ")), 0.0)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    variables = {
        "DATABASE_URL": SqliteFiles(tmp_path).create(),
        "METRICS_TOKEN": TOKEN,
        "LOG_LEVEL": "DEBUG",
        "TMPDIR": str(tmp_path),
    }
    with FakeUserPool() as pool:
        server = AppServer(pool.environment() | variables, log=tmp_path / "gunicorn.log", workers=2)
        with server:
            pool.allow_site(server.url)
            yield Site(server, pool)


def test_whichever_worker_is_scraped_tells_the_counts_of_all_and_of_those_before(site: Site, tmp_path: Path) -> None:
    sample = 'gatehouse_http_request_seconds_count{status="3xx",view="login"}'
    for number in range(30):
        site.browser(f"{number}@example.com").get("/login/")
    assert len(site.server.workers_that_answered()) == 2
    assert {site.scraped(sample) for _ in range(10)} == {30.0}

    site.server.kill_workers()
    site.browser("late@example.com").get("/login/")

    assert {site.scraped(sample) for _ in range(10)} == {31.0}
    [directory] = tmp_path.glob(DIRECTORIES)
    assert {file.stem.rpartition("_")[2] for file in directory.glob("*.db")} == {"master", "web1", "web2"}

    site.server.stop()

    assert not list(tmp_path.glob(DIRECTORIES))


def test_every_line_is_json_and_none_has_a_query_or_an_address(site: Site) -> None:
    uma = site.browser("uma.user@example.com")
    location = uma.authorize("/sessions/?q=uma.user@example.com")
    uma.get(location)
    answer = uma.get("/sessions/?q=uma.user@example.com")
    requests.get(f"{site.server.url}/nowhere/?code=canary", timeout=10)

    output = site.server.output()
    lines = site.lines()

    first = output.index('{"time"')
    assert [line for line in output[first:].splitlines() if not line.startswith("{")] == []
    assert {"gunicorn.error", "gunicorn.access", "config.access"} <= {line["logger"] for line in lines}
    [page] = [line for line in lines if line["logger"] == "config.access" and line["path"] == "/sessions/"]
    assert page["request_id"] == answer.headers["X-Request-ID"]
    assert page["session"]
    assert not [word for word in ("code=", "state=", "uma.user", "canary") if word in output]


def test_the_worker_logs_in_json_too(tmp_path: Path) -> None:
    variables = {"DATABASE_URL": SqliteFiles(tmp_path).create()}

    finished = subprocess.run(
        [sys.executable, "manage.py", "db_worker", "--batch", "--no-reload", "--no-startup-delay"],
        cwd=PROJECT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    lines = [json.loads(line) for line in (finished.stdout + finished.stderr).splitlines()]
    assert {line["logger"] for line in lines} == {"django_tasks_db"}


FORK = """
import gc, runpy, types
configuration = runpy.run_path("config/gunicorn.conf.py")
configuration["pre_fork"](types.SimpleNamespace(WORKERS={}), types.SimpleNamespace())
print(gc.get_freeze_count())
configuration["on_exit"](None)
"""


def test_what_is_loaded_before_a_fork_stays_out_of_the_collectors_reach(tmp_path: Path) -> None:
    own = environment(TMPDIR=str(tmp_path))

    done = subprocess.run(
        [sys.executable, "-c", FORK], cwd=PROJECT, env=own, capture_output=True, text=True, check=True
    )

    assert int(done.stdout) > 10_000
