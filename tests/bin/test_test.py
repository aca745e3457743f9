"""bin/test: what it says and what it hands on. That it runs every check is seen wherever it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bin.support import ROOT


def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def find_tools(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Look for what the tests drive on this PATH, where nothing can be installed."""
    script = 'set -e; . bin/lib/tools.sh; find_tools; echo "$CHROMIUM $NGINX $REDIS_SERVER"'
    return run("sh", "-c", script, PATH=str(path), **{"CHROMIUM": "", "NGINX": "", "REDIS_SERVER": "", **environment})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for tool in ("sh", "cat", "id"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    return tmp_path


def test_help_names_the_ways_to_call_it() -> None:
    result = run("bin/test", "--help")

    assert result.returncode == 0
    assert "bin/test tests/accounts -k callback" in result.stdout


def test_arguments_go_to_pytest_and_the_checks_are_left_out(tmp_path: Path) -> None:
    result = run("bin/test", "tests/bin/test_test.py", "-k", "help_names", "--basetemp", tmp_path / "base")

    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout.splitlines()[-1]
    assert "mypy" not in result.stdout


def test_a_missing_tool_is_told_with_the_fix(path: Path) -> None:
    result = find_tools(path, CI="", NGINX="cat", REDIS_SERVER="cat")

    assert result.returncode == 0
    assert "Not found: chromium." in result.stderr
    assert "sudo apt install chromium;" in result.stderr


@pytest.mark.parametrize("missing", ["chromium", "redis-server"])
def test_a_missing_tool_stops_ci(path: Path, missing: str) -> None:
    names = {"chromium": "CHROMIUM", "redis-server": "REDIS_SERVER"}
    others = {name: "cat" for package, name in names.items() if package != missing}

    result = find_tools(path, CI="true", NGINX="cat", **others)

    assert result.returncode == 1
    assert f"sudo apt install {missing};" in result.stderr


def test_a_tool_is_found_under_any_of_its_names(path: Path) -> None:
    names = ["google-chrome-stable", "nginx", "valkey-server"]
    for name in names:
        (path / name).symlink_to(path / "cat")

    result = find_tools(path, CI="true")

    assert result.returncode == 0
    assert result.stdout.split() == [str(path / name) for name in names]


@pytest.mark.parametrize(("plugin", "status"), [((), 0), (("-p", "tests.no_skips"), 1)])
def test_a_skipped_test_fails_in_ci_only(tmp_path: Path, plugin: tuple[str, ...], status: int) -> None:
    (tmp_path / "test_skipped.py").write_text(
        "import pytest\n\n\ndef test_it():\n    pytest.skip('no browser')\n\n\n"
        "@pytest.mark.xfail\ndef test_known_bug():\n    assert False\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    result = run(
        *(sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:django", "-c", tmp_path / "pytest.ini"),
        *(*plugin, tmp_path / "test_skipped.py"),
    )

    assert result.returncode == status
    assert ("no browser" in result.stdout) == bool(plugin)
    assert "1 xfailed" in result.stdout
