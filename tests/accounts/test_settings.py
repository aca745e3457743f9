"""Every environment variable stands in settings.py, .env.example and docs/settings.md, and nothing else does."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from accounts.env_file import read_env_file

ROOT = Path(settings.BASE_DIR)
SETTINGS = ROOT / "config/settings.py"
GUNICORN = ROOT / "config/gunicorn.conf.py"
PAGE = ROOT / "docs/settings.md"
COMPLETE = {
    "SECRET_KEY": "s" * 60,
    "SITE_URL": "https://app.example.com",
    "TOKEN_ENCRYPTION_KEYS": "b25seS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2RlZjA",
    "COGNITO_USER_POOL_ID": "eu-central-1_AbC123",
    "COGNITO_CLIENT_ID": "client",
    "COGNITO_DOMAIN": "https://login.example.com",
}


def variables_read(path: Path, reader: str) -> set[str]:
    """Return the names that a module's calls of `reader` ask for: "env" for env.str(...), or "os.environ"."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value) == reader
        and isinstance(call.args[0], ast.Constant)
    }


def documented() -> dict[str, list[str]]:
    """Return the rows of the page's tables by variable: default, meaning, example."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| ?(.*?) ?\| (.+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    return {name: cells for name, *cells in rows}


def test_the_example_has_every_variable_of_the_settings_and_no_other() -> None:
    assert set(read_env_file(ROOT / ".env.example")) == variables_read(SETTINGS, "env")


def test_the_page_has_every_variable_and_no_other() -> None:
    read = (
        variables_read(SETTINGS, "env")
        | variables_read(SETTINGS, "os.environ")
        | variables_read(GUNICORN, "os.environ")
    )

    assert set(documented()) == read


def test_no_variable_is_explained_twice() -> None:
    names = re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE)

    assert len(names) == len(set(names)) == len(documented())


def test_no_other_module_of_the_app_reads_the_environment() -> None:
    modules = [path for package in ("accounts", "dashboard") for path in (ROOT / package).rglob("*.py")]

    reading = [path for path in modules if re.search(r"os\.(environ|getenv)", path.read_text())]

    assert reading == []


@pytest.mark.parametrize("name", [name for name, cells in documented().items() if re.fullmatch(r"`[^`]+`", cells[0])])
def test_the_default_on_the_page_is_the_one_in_force(name: str) -> None:
    default = documented()[name][0].strip("`")
    module = GUNICORN if name in variables_read(GUNICORN, "os.environ") else SETTINGS
    call = next(
        node
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value == name
    )
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "default"), call.args[-1])

    assert default in {spelled(given), spelled(given).lower()}


@pytest.mark.parametrize("name", COMPLETE)
def test_a_required_variable_that_is_missing_stops_the_start(name: str) -> None:
    environment = {each: value for each, value in COMPLETE.items() if each != name}

    finished = started(environment)

    assert finished.returncode != 0
    assert f"Set the {name} environment variable" in finished.stderr


def test_the_required_variables_are_enough() -> None:
    assert started(COMPLETE).returncode == 0


@pytest.mark.parametrize("cookie", ["SESSION", "CSRF", "LANGUAGE"])
@pytest.mark.parametrize(
    ("site_url", "is_pinned"), [("https://app.example.com", "True"), ("http://localhost:8000", "False")]
)
def test_over_https_every_cookie_is_pinned_to_the_host(cookie: str, site_url: str, is_pinned: str) -> None:
    facts = f"s.{cookie}_COOKIE_NAME.startswith('__Host-'), s.{cookie}_COOKIE_SECURE"

    finished = started(COMPLETE | {"SITE_URL": site_url}, f"s = config.settings; print({facts})")

    assert finished.stdout.split() == [is_pinned, is_pinned]


def test_a_required_variable_has_no_default_on_the_page() -> None:
    assert {name for name, cells in documented().items() if not cells[0]} == set(COMPLETE)


def spelled(node: ast.expr) -> str:
    """Return a default as one would write it into the environment."""
    if isinstance(node, ast.JoinedStr):
        return ast.unparse(node)[2:-1].replace("{BASE_DIR / 'db.sqlite3'}", "db.sqlite3")
    value = eval(ast.unparse(node), {"__builtins__": {}})  # noqa: S307 - an expression of our own settings
    return ",".join(value) if isinstance(value, list) else str(value)


def started(environment: dict[str, str], then: str = "") -> subprocess.CompletedProcess[str]:
    """Import the settings in a process with this environment and no other."""
    return subprocess.run(
        [sys.executable, "-c", f"import config.settings\n{then}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
