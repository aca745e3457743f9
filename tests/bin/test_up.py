"""bin/up as people run it: real processes, real ports, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.bin.support import WorkingCopy, get
from tests.ministack import free_port

pytestmark = pytest.mark.ministack


@pytest.fixture(scope="module")
def ports() -> tuple[str, ...]:
    """Return the options that give every bin/up of this module the same two free ports."""
    return "--port", str(free_port()), "--pool-port", str(free_port())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, ports: tuple[str, ...]) -> Iterator[WorkingCopy]:
    """Return a working copy whose first bin/up is running, on ports of its own."""
    copy = WorkingCopy.make(tmp_path_factory.mktemp("running") / "gatehouse")
    copy.up_and_running("--port", free_port(), "--pool-port", free_port())
    yield copy
    copy.close()


@pytest.fixture(scope="module")
def state_of_a_first_run(tmp_path_factory: pytest.TempPathFactory, ports: tuple[str, ...]) -> Path:
    """Return the `.local` that a first bin/up left behind."""
    copy = WorkingCopy.make(tmp_path_factory.mktemp("first-run") / "gatehouse")
    copy.up_and_running(*ports)
    copy.close()
    return copy.path / ".local"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[WorkingCopy]:
    """Return a working copy in which bin/up never ran."""
    copy = WorkingCopy.make(tmp_path / "gatehouse")
    yield copy
    copy.close()


@pytest.fixture
def used(fresh: WorkingCopy, state_of_a_first_run: Path) -> WorkingCopy:
    """Return a working copy in which bin/up ran once."""
    without_packages = shutil.ignore_patterns("venv")
    shutil.copytree(state_of_a_first_run, fresh.path / ".local", ignore=without_packages, dirs_exist_ok=True)
    return fresh


def test_a_first_start_leaves_a_working_site_and_tells_how_to_use_it(running: WorkingCopy) -> None:
    demo = running.demo
    pool = demo["pool"]

    assert get(f"{demo['site_url']}/healthz") == 200
    assert get(f"{pool['endpoint']}/{pool['user_pool_id']}/.well-known/jwks.json") == 200
    assert get(f"{pool['endpoint']}/_ministack/ses/messages") == 200
    assert [(person["email"], person["groups"]) for person in demo["people"]] == [
        ("demo@example.com", []),
        ("admin@example.com", ["admins"]),
    ]
    assert all(person["password"] in running.output for person in demo["people"])
    assert f"{demo['site_url']}/" in running.output


def test_secrets_are_for_their_owner_only(running: WorkingCopy) -> None:
    local = running.path / ".local"

    assert stat.S_IMODE(local.stat().st_mode) == 0o700
    assert {stat.S_IMODE((local / name).stat().st_mode) for name in ("app.env", "demo.json")} == {0o600}


def test_what_listens_listens_on_loopback_only(running: WorkingCopy) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Picks the address of the interface towards the network; connecting a datagram socket sends nothing.
        probe.connect(("192.0.2.1", 9))
        address = probe.getsockname()[0]

    for url in (running.demo["site_url"], running.demo["pool"]["endpoint"]):
        with socket.socket() as visitor:
            assert visitor.connect_ex((address, urlsplit(url).port)) != 0


def test_a_second_start_in_one_directory_is_refused(running: WorkingCopy) -> None:
    first = running.started[0]

    second = running.up("--port", free_port(), "--pool-port", free_port(), output="second")

    assert second.wait(10) == 1
    assert f"already running in this directory (process {first.pid})" in (running.path / "second").read_text()
    assert first.poll() is None


@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_it_continues_where_it_was_and_stops_without_orphans(
    used: WorkingCopy, ports: tuple[str, ...], stop: signal.Signals, status: int
) -> None:
    before = used.demo
    began = time.monotonic()

    process = used.up_and_running(*ports)

    assert time.monotonic() - began < 15  # 2 s on an idle machine, where the goal is 5
    assert "Deploying" not in used.output
    assert used.demo == before
    process.send_signal(stop)
    assert process.wait(10) == status
    assert used.orphans() == []


def test_a_killed_pool_stops_everything_and_loses_nothing(used: WorkingCopy, ports: tuple[str, ...]) -> None:
    before = used.demo
    first = used.up_and_running(*ports)
    (pool,) = [line for line in used.processes() if line.endswith("/ministack")]

    os.kill(int(pool.split()[0]), signal.SIGKILL)

    assert first.wait(15) == 1
    assert "pool stopped by itself" in used.output
    assert used.orphans() == []
    used.up_and_running(*ports)
    assert used.demo == before


def test_lost_state_is_made_again_with_the_same_passwords(used: WorkingCopy, ports: tuple[str, ...]) -> None:
    before = used.demo
    # One half of it: the stack is still there, and says the pool is, too.
    (used.path / ".local" / "ministack" / "cognito.json").unlink()

    used.up_and_running(*ports)

    assert used.demo["people"] == before["people"]
    pool = used.demo["pool"]
    assert get(f"{pool['endpoint']}/{pool['user_pool_id']}/.well-known/jwks.json") == 200


def test_another_port_moves_the_site_and_keeps_the_pool(used: WorkingCopy, ports: tuple[str, ...]) -> None:
    before = used.demo

    used.up_and_running(*ports, "--port", free_port())

    assert used.demo["site_url"] != before["site_url"]
    assert used.demo["pool"] == before["pool"]


def test_reset_starts_over_and_keeps_the_packages(used: WorkingCopy, ports: tuple[str, ...]) -> None:
    before = used.demo

    used.up_and_running("--reset", *ports)

    assert used.demo["people"][0]["password"] != before["people"][0]["password"]
    assert "Installing" not in used.output


@pytest.mark.parametrize("seconds", [0.4, 1.5])
def test_stopping_it_while_it_starts_leaves_no_orphan(
    fresh: WorkingCopy, ports: tuple[str, ...], seconds: float
) -> None:
    process = fresh.up(*ports)
    time.sleep(seconds)

    process.send_signal(signal.SIGTERM)

    assert process.wait(10) in (143, -signal.SIGTERM)
    assert fresh.orphans() == []
    assert "Traceback" not in fresh.output


@pytest.mark.parametrize("option", ["--port", "--pool-port"])
def test_a_port_in_use_is_named_with_the_way_around(fresh: WorkingCopy, ports: tuple[str, ...], option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]

        process = fresh.up(*ports, option, taken)

        assert process.wait(10) == 1
    assert f"cannot use port {taken}: something else listens there" in fresh.output
    assert f"bin/up {option} " in fresh.output
    assert not (fresh.path / ".local" / "app.env").exists()


def test_ports_may_come_from_the_environment_and_nothing_else_does(used: WorkingCopy, ports: tuple[str, ...]) -> None:
    environment = {
        "PORT": ports[1],
        "POOL_PORT": ports[3],
        "DATABASE_URL": "postgres://nowhere.invalid/x",
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAREAL000000000000",
    }

    used.up_and_running(environment=environment)

    assert get(f"http://localhost:{ports[1]}/healthz") == 200
    assert (used.path / ".local" / "db.sqlite3").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "http"], "'http' is no port"),
        (["--port", "70000"], "'70000' is no port"),
        (["--port", "8000", "--pool-port", "8000"], "cannot share port 8000"),
    ],
)
def test_a_wrong_option_is_answered_with_one_sentence(fresh: WorkingCopy, arguments: list[str], sentence: str) -> None:
    process = fresh.up(*arguments)

    assert process.wait(10) == 2
    assert sentence in fresh.output
    assert "Traceback" not in fresh.output
