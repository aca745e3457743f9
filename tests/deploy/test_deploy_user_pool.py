"""`manage.py deploy_user_pool`, as its own process, against a running emulator."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.cognito.stack import UserPoolStack
from deploy.local.ministack import CREDENTIALS, MiniStack
from tests.ministack import TEMPLATE, LocalUserPool, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.ministack


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    directory = tmp_path_factory.mktemp("ministack")
    with MiniStack(port=free_port(), state_dir=directory / "state", log_path=directory / "log") as ministack:
        yield ministack


def run(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command where nothing is configured: no settings, no AWS files, no credentials but those given."""
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "ENV_FILE": os.devnull}
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "deploy_user_pool", *map(str, arguments)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"} | nowhere | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def deploy(ministack: MiniStack, stack: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a deployer of the emulator."""
    target = ("--stack", stack, "--endpoint-url", ministack.url, "--region", "us-east-1")
    local = ("--parameter", "ManagedLogin=false", "--parameter", "DeletionProtection=INACTIVE")
    return run(*target, *local, *arguments, environment=CREDENTIALS)


def test_a_new_stack_shows_each_step_and_prints_the_settings_alone(ministack: MiniStack) -> None:
    result = deploy(ministack, "new", "--site-url", "http://localhost:8000/")

    assert result.returncode == 0, result.stderr
    settings = dict(line.split("=", 1) for line in result.stdout.splitlines())
    assert settings["SITE_URL"] == "http://localhost:8000"
    assert settings["COGNITO_USER_POOL_ID"].startswith("us-east-1_")
    assert settings["COGNITO_DOMAIN"] == settings["COGNITO_ENDPOINT_URL"] == ministack.url
    assert settings["COGNITO_REFRESH_TOKEN_SECONDS"] == str(30 * 24 * 3600)
    assert settings["COGNITO_CLIENT_SECRET"]
    assert "CREATE_COMPLETE              Pool" in result.stderr
    assert settings["COGNITO_CLIENT_SECRET"] not in result.stderr


def test_a_second_deployment_finds_nothing_to_change(ministack: MiniStack) -> None:
    first = deploy(ministack, "twice", "--site-url", "http://localhost:8000")

    second = deploy(ministack, "twice", "--site-url", "http://localhost:8000")

    assert second.returncode == 0, second.stderr
    assert "twice is up to date: no changes." in second.stderr
    assert second.stdout == first.stdout


def test_an_update_keeps_the_pool_and_the_parameters_not_given(ministack: MiniStack) -> None:
    first = deploy(ministack, "moving", "--site-url", "http://localhost:8000")

    second = deploy(ministack, "moving", "--parameter", "RefreshTokenMinutes=60")

    before, after = (dict(line.split("=", 1) for line in result.stdout.splitlines()) for result in (first, second))
    assert after.pop("COGNITO_REFRESH_TOKEN_SECONDS") == "3600"
    assert before.pop("COGNITO_REFRESH_TOKEN_SECONDS") != "3600"
    assert after == before
    assert "UPDATE_COMPLETE" in second.stderr


def test_the_settings_are_merged_into_a_file_only_its_owner_reads(ministack: MiniStack, tmp_path: Path) -> None:
    file = tmp_path / "app.env"
    file.write_text("# mine\nSECRET_KEY=kept\nCOGNITO_CLIENT_ID=old\nCOGNITO_CLIENT_ID=older\n")

    result = deploy(ministack, "to-file", "--site-url", "http://localhost:8000", "--env-file", file)

    lines = file.read_text().splitlines()
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert lines[:2] == ["# mine", "SECRET_KEY=kept"]
    assert lines[2].startswith("COGNITO_CLIENT_ID=")
    assert "old" not in lines[2]
    assert sum(line.startswith("COGNITO_CLIENT_ID=") for line in lines) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_rollback_is_explained_with_the_reasons_of_cloudformation(ministack: MiniStack) -> None:
    deploy(ministack, "first", "--site-url", "http://localhost:8000", "--parameter", "DomainPrefix=wanted")

    result = deploy(ministack, "other", "--site-url", "http://localhost:8001", "--parameter", "DomainPrefix=wanted")

    assert result.returncode == 1
    assert "The stack other ended as" in result.stderr
    assert "Domain (AWS::Cognito::UserPoolDomain):" in result.stderr
    assert "already" in result.stderr
    assert result.stdout == ""


def test_a_stack_that_failed_to_create_does_not_stand_in_the_way(ministack: MiniStack) -> None:
    deploy(ministack, "holder", "--site-url", "http://localhost:8000", "--parameter", "DomainPrefix=taken")
    deploy(ministack, "retried", "--site-url", "http://localhost:8001", "--parameter", "DomainPrefix=taken")

    result = deploy(ministack, "retried", "--site-url", "http://localhost:8001")

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--site-url", "example.com"], "must look like https://app.example.com"),
        ([], "SiteUrl"),
        (["--site-url", "https://a.example.com", "--parameter", "Colour=red"], "The template has no parameter Colour"),
        (["--site-url", "https://a.example.com", "--parameter", "Colour"], "--parameter takes NAME=VALUE"),
        (["--site-url", "https://a.example.com", "--template", "no-such.yaml"], "no-such.yaml cannot be read"),
        (["--site-url", "https://a.example.com", "--parameter", "UserPoolTier=GOLD"], "UserPoolTier"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(ministack: MiniStack, arguments: list[str], sentence: str) -> None:
    result = deploy(ministack, "mistaken", *arguments)

    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_credentials_are_named(ministack: MiniStack) -> None:
    result = run("--stack", "s", "--endpoint-url", ministack.url, "--region", "us-east-1")

    assert result.returncode == 1
    assert "No AWS credentials were found" in result.stderr


def test_a_missing_region_is_named() -> None:
    result = run("--stack", "s", environment=CREDENTIALS)

    assert result.returncode == 1
    assert "No AWS region is set" in result.stderr


def test_an_unreachable_endpoint_is_named() -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"

    result = run("--stack", "s", "--region", "us-east-1", "--endpoint-url", endpoint, environment=CREDENTIALS)

    assert result.returncode == 1
    assert f"{endpoint} did not answer" in result.stderr


def test_an_unknown_profile_is_named() -> None:
    result = run("--stack", "s", "--region", "us-east-1", environment={"AWS_PROFILE": "nobody"})

    assert result.returncode == 1
    assert "nobody" in result.stderr
    assert "Check AWS_PROFILE" in result.stderr


def test_refused_credentials_are_named(ministack: MiniStack) -> None:
    stranger = {"AWS_ACCESS_KEY_ID": "AKIASTRANGER00000000", "AWS_SECRET_ACCESS_KEY": "wrong"}

    result = run("--stack", "s", "--endpoint-url", ministack.url, "--region", "us-east-1", environment=stranger)

    assert result.returncode == 1
    assert "was refused" in result.stderr
    assert "Traceback" not in result.stderr


def test_only_events_of_this_deployment_are_reported(local_pool: LocalUserPool) -> None:
    stack = UserPoolStack("events", endpoint_url=local_pool.url, session=local_pool.administrator)
    parameters = {"SiteUrl": "http://localhost:1", "ManagedLogin": "false"}
    stack.deploy(TEMPLATE.read_text(), parameters, on_event=lambda _event: None)
    statuses: list[str] = []

    stack.deploy(
        TEMPLATE.read_text(),
        parameters | {"SiteUrl": "http://localhost:2"},
        on_event=lambda event: statuses.append(event.status),
    )

    assert statuses
    assert all(status.startswith("UPDATE_") for status in statuses)
