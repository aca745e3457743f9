"""gunicorn refuses to serve with a configuration that would fail later."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.servers.app import GUNICORN
from tests.servers.environment import PROJECT, environment


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start gunicorn as in production; it must end by itself."""
    return subprocess.run(
        [str(GUNICORN), "--config", "config/gunicorn.conf.py", "--bind", "127.0.0.1:0"],
        cwd=PROJECT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "check_id", "fix"),
    [
        ({"SITE_URL": "http://app.example.com"}, "accounts.E019", "Set SITE_URL to the https address people use"),
        ({"ALLOWED_HOSTS": "*"}, "accounts.E022", "List the host names of the site"),
        ({"SECRET_KEY": "changeme"}, "accounts.E016", "python -c 'import secrets"),
        ({"COGNITO_CLIENT_SECRET": "secret"}, "accounts.E017", "Copy the app client's secret from Cognito"),
    ],
)
def test_a_wrong_setting_stops_it_with_the_sentence_that_fixes_it(
    variables: dict[str, str], check_id: str, fix: str
) -> None:
    stopped = start(**variables)

    assert stopped.returncode == 1
    assert check_id in stopped.stderr
    assert fix in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "Listening at" not in stopped.stderr


def test_a_missing_variable_stops_it_with_its_name() -> None:
    stopped = start(SITE_URL="", COGNITO_USER_POOL_ID="")

    assert stopped.returncode == 1
    assert "COGNITO_USER_POOL_ID" in stopped.stderr
    assert "Listening at" not in stopped.stderr


def test_it_leaves_no_files_behind(tmp_path: Path) -> None:
    start(SECRET_KEY="changeme", TMPDIR=os.fspath(tmp_path))

    assert list(tmp_path.glob("gatehouse-*")) == []
