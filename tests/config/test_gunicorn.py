"""Logs and metrics of the app as it runs: a master, two workers, every level of logging."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fake_user_pool import FakeUserPool
from tests.servers import AppServer, HttpBrowser, SqliteFiles
from tests.servers.app import BOOTED
from tests.servers.environment import PROJECT, environment

TOKEN = "only-prometheus-knows"
# Libraries that take longer to import than all the rest.
CALLING_COGNITO = {"authlib", "boto3", "botocore", "cryptography", "joserfc", "requests", "urllib3"}
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
    names = {file.stem.rpartition("_")[2] for file in directory.glob("*.db")}
    # The first is that of the worker that bridged the start; whoever replaces another may take it.
    assert names - {"web1"} == {"master", "web2", "web3"}

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


def test_the_worker_that_answers_first_leaves_and_nobody_notices(tmp_path: Path) -> None:
    server = AppServer({"DATABASE_URL": SqliteFiles(tmp_path).create()}, log=tmp_path / "gunicorn.log", workers=1)
    has_started = threading.Event()
    with ThreadPoolExecutor() as pool:
        askers = [pool.submit(ask, server, until=has_started) for _ in range(4)]
        try:
            with server:
                first, last = map(int, BOOTED.findall(server.output()))
                has_started.set()
                statuses = [status for asker in askers for status in asker.result()]
                assert server.worker_pids() == [last]
        finally:
            has_started.set()

    assert set(statuses) == {200}
    assert server.workers_that_answered() == {first, last}


def ask(server: AppServer, *, until: threading.Event) -> list[int]:
    """Ask from the moment the port is open; return what was answered, twenty times more after the start."""
    statuses = []
    left = 20
    with requests.Session() as kept:
        while left:
            if server.port:
                statuses.append(kept.get(f"{server.url}/healthz", timeout=30).status_code)
                left -= until.is_set()
            elif until.is_set():
                break
            else:
                time.sleep(0.01)
    return statuses


FORK = """
import gc, json, runpy, sys, types
configuration = runpy.run_path("config/gunicorn.conf.py")
from config.wsgi import application
from django.conf import settings
settings.SITE_URL = "http://localhost"
server = types.SimpleNamespace(WORKERS={}, num_workers=2, log=None)
configuration["on_starting"](server)
from django.test import Client
assert Client().get("/", SERVER_NAME="localhost").status_code == 200
told = []
for age in (1, 2, 3, 4):
    configuration["pre_fork"](server, types.SimpleNamespace(age=age))
    told.append({"workers": server.num_workers, "frozen": gc.get_freeze_count(), "modules": list(sys.modules)})
    # As after a TTIN, or a reload with more of them.
    server.num_workers = max(server.num_workers, age)
from accounts.cognito import oidc
from accounts.cognito.errors import ProviderUnavailableError
from accounts.conf import user_pool, user_pool_config
from accounts.encryption import seal, unseal
oidc.authorization_request(user_pool_config(), redirect_uri="http://localhost/")
unseal(seal(b"", bound_to=""), bound_to="")
for call in (lambda: user_pool().get_user(""), lambda: oidc.client_is_refused(user_pool_config())):
    try:
        call()
    except ProviderUnavailableError:
        continue
    raise AssertionError("nobody is there to answer")
told.append({"modules": list(sys.modules)})
configuration["on_exit"](None)
print(json.dumps(told))
"""  # With other settings than the fixtures' own, which import what this is about.


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What a master has before it makes its first, second and third worker, and what is there after calling Cognito."""
    own = environment(DJANGO_SETTINGS_MODULE="tests.settings", TMPDIR=str(tmp_path_factory.mktemp("forks")))
    done = subprocess.run(
        [sys.executable, "-c", FORK], cwd=PROJECT, env=own, stdout=subprocess.PIPE, text=True, check=True
    )
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def packages(modules: list[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_what_is_loaded_before_a_fork_stays_out_of_the_collectors_reach(forks: list[dict[str, Any]]) -> None:
    assert all(fork["frozen"] > 10_000 for fork in forks[:4])


def test_the_first_answer_does_not_wait_for_what_calls_cognito(forks: list[dict[str, Any]]) -> None:
    assert not packages(forks[0]["modules"]) & CALLING_COGNITO


def test_workers_share_what_calls_cognito(forks: list[dict[str, Any]]) -> None:
    assert packages(forks[1]["modules"]) >= CALLING_COGNITO
    assert forks[4]["modules"] == forks[3]["modules"]


def test_the_first_worker_is_one_more_than_asked_for(forks: list[dict[str, Any]]) -> None:
    assert [fork["workers"] for fork in forks[:4]] == [3, 3, 2, 3]


def test_what_keeps_the_sdk_from_working_does_not_keep_the_site_from_it(tmp_path: Path) -> None:
    variables = {"DATABASE_URL": SqliteFiles(tmp_path).create(), "AWS_PROFILE": "nowhere"}

    with AppServer(variables, log=tmp_path / "gunicorn.log", workers=1) as server:
        assert requests.get(f"{server.url}/healthz", timeout=10).ok
        assert "What calls Cognito cannot be prepared" in server.output()
