"""The image and the fleet of compose.yaml, as far as they can be read without a Docker engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
TEMPLATE = (DEPLOY / "nginx" / "gatehouse.conf.template").read_text()


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def services(compose: Any) -> Any:
    return compose["services"]


@pytest.fixture(scope="module")
def networks(compose: Any) -> Any:
    return compose["networks"]


@pytest.fixture(scope="module")
def procfile() -> dict[str, str]:
    lines = (DEPLOY / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return a folder with what the Dockerfile copies, and nothing else."""
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.MULTILINE):
        path = ROOT / source
        if path.is_dir():
            shutil.copytree(path, tmp_path / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, tmp_path / target)
    return tmp_path


def manage(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=image, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_image_collects_its_static_files_without_any_setting(image: Path) -> None:
    result = manage(image, "collectstatic", "--no-input")

    assert result.returncode == 0, result.stderr
    assert list((image / "staticfiles" / "css").glob("gatehouse.*.css"))


def test_what_the_image_holds_starts_without_the_rest_of_the_project(image: Path) -> None:
    result = manage(image, "generate_key")

    assert result.returncode == 0, result.stderr


def test_the_build_is_offered_only_what_the_image_takes() -> None:
    offered = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    copied = {source for source, _ in re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.MULTILINE)}

    assert offered == copied


def test_each_lock_the_image_can_be_built_from_is_complete() -> None:
    locks = {source for source, _ in re.findall(r"^COPY (requirements\S*\.txt) (\S+)$", DOCKERFILE, re.MULTILINE)}

    default = re.findall(r"^ARG REQUIREMENTS=(\S+)$", DOCKERFILE, re.MULTILINE)

    assert default == ["requirements.txt"]
    pinned = {lock: set(re.findall(r"^(\S+==\S+)", (ROOT / lock).read_text(), re.MULTILINE)) for lock in locks}
    assert all(pinned["requirements.txt"] <= pins for pins in pinned.values())


def test_the_image_runs_as_nobody_in_particular() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)

    assert users[-1].isdecimal()
    assert users[-1] != "0"


@pytest.mark.parametrize("name", ["release", "app", "worker", "sweep"])
def test_a_container_of_the_app_can_write_nowhere_and_gain_nothing(services: Any, name: str) -> None:
    service = services[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


@pytest.mark.parametrize(("service", "process"), [("release", "release"), ("worker", "worker"), ("sweep", "sweep")])
def test_compose_runs_what_the_procfile_runs(
    services: Any, procfile: dict[str, str], service: str, process: str
) -> None:
    command = services[service]["command"]

    assert (command[-1] if command[0] == "sh" else " ".join(command)) == procfile[process]


def test_the_image_serves_as_the_procfile_does(procfile: dict[str, str]) -> None:
    parts = re.findall(r'"([^"]+)"', DOCKERFILE.rpartition("\nCMD ")[2])

    assert " ".join(parts) == procfile["web"]


def test_only_the_proxy_can_be_reached_from_outside(services: Any) -> None:
    published = {name for name, service in services.items() if "ports" in service}

    assert published == {"proxy"}
    assert services["database"]["networks"] == services["cache"]["networks"] == ["back"]


def test_the_app_trusts_the_proxy_and_nobody_else(services: Any, networks: Any) -> None:
    [front] = networks["front"]["ipam"]["config"]

    [trusted] = {services[name]["environment"]["TRUSTED_PROXIES"] for name in ("app", "worker", "sweep", "release")}

    proxy = ip_address(services["proxy"]["networks"]["front"]["ipv4_address"])
    assert ip_network(trusted) == ip_network(proxy)
    assert proxy in ip_network(front["subnet"])
    assert proxy not in ip_network(front["ip_range"])
    assert proxy != ip_address(front["gateway"])


def test_the_app_serves_only_once_the_database_is_migrated(services: Any) -> None:
    for name in ("app", "worker", "sweep"):
        assert services[name]["depends_on"]["release"] == {"condition": "service_completed_successfully"}


def test_the_proxy_knows_every_blank_of_its_template(services: Any) -> None:
    blanks = set(re.findall(r"\$\{([A-Z_]+)\}", TEMPLATE)) - {"NAME"}

    assert blanks == services["proxy"]["environment"].keys()


def test_a_list_of_servers_on_several_lines_fills_no_comment() -> None:
    blanks = re.findall(r"\$\{([A-Z_]+)\}", TEMPLATE)

    comments = [line for line in TEMPLATE.splitlines() if line.lstrip().startswith("#")]

    assert not [line for line in comments for blank in set(blanks) - {"NAME"} if re.search(rf"\$\{{?{blank}\b", line)]


@pytest.mark.parametrize("header", ["X-Forwarded-Proto", "X-Forwarded-For", "X-Request-ID", "Host"])
def test_the_proxy_overwrites_what_the_app_believes(header: str) -> None:
    values = re.findall(rf"proxy_set_header {header} (\S+);", TEMPLATE)

    assert len(values) == 1
    assert "proxy_add_x_forwarded_for" not in values[0]


def test_the_proxy_waits_longer_than_the_app_may_take() -> None:
    # Read, not run: running it makes this process one of gunicorn's.
    source = (ROOT / "config" / "gunicorn.conf.py").read_text()
    gunicorn = {name: int(value) for name, value in re.findall(r"^(\w+) = (\d+)$", source, re.MULTILINE)}

    proxy_read = re.search(r"proxy_read_timeout (\d+)s;", TEMPLATE)
    idle = re.search(r"keepalive_timeout (\d+)s;", TEMPLATE)

    assert proxy_read is not None
    assert int(proxy_read[1]) > gunicorn["timeout"]
    assert idle is not None
    assert int(idle[1]) < gunicorn["keepalive"]


def test_the_proxy_tries_no_form_a_second_time() -> None:
    conditions = re.findall(r"proxy_next_upstream (.*?);", TEMPLATE)

    assert len(conditions) == 1
    assert "non_idempotent" not in conditions[0]


def test_the_proxys_log_holds_no_query() -> None:
    formats = re.findall(r"log_format .*?;", TEMPLATE, re.DOTALL)

    assert formats
    for text in formats:
        assert "$request " not in text
        assert "$request_uri" not in text
        assert "$args" not in text
