"""What bin/up does about Python and packages: finds the one, installs the other, and repairs what was cut short."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bin.support import WorkingCopy
from tests.ministack import free_port

# How an old Python answers the questions of bin/lib/python.sh.
OLD_PYTHON = '#!/bin/sh\ncase "$2" in *version_info*) exit 1 ;; *python_version*) echo 3.9.2 ;; esac\n'
# What a version manager leaves on PATH for a Python that is not installed.
BROKEN_STUB = '#!/bin/sh\necho "python3: command not found in any version" >&2\nexit 127\n'
WITHOUT_ENSUREPIP = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n'


@pytest.fixture
def copy(tmp_path: Path) -> WorkingCopy:
    """Return a working copy with nothing installed and nothing to install."""
    copy = WorkingCopy.make(tmp_path / "gatehouse", installed=False)
    for lock in copy.path.glob("requirements*.txt"):
        lock.write_text("")
    return copy


@pytest.fixture(scope="module")
def complete_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a `.venv` as a finished install leaves it."""
    copy = WorkingCopy.make(tmp_path_factory.mktemp("complete") / "gatehouse", installed=False)
    (copy.path / "requirements.txt").write_text("")
    assert install(copy).returncode == 0
    return copy.path / ".venv"


@pytest.fixture
def installed(copy: WorkingCopy, complete_environment: Path) -> WorkingCopy:
    """Return a working copy with a finished install."""
    shutil.copytree(complete_environment, copy.path / ".venv", symlinks=True)
    return copy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a directory that is all of PATH, without any Python."""
    directory = tmp_path / "path"
    directory.mkdir()
    for tool in ("sh", "dirname", "cat"):
        found = shutil.which(tool)
        assert found
        (directory / tool).symlink_to(found)
    return directory


def put(directory: Path, name: str, script: str) -> None:
    (directory / name).write_text(script)
    (directory / name).chmod(0o755)


def up(copy: WorkingCopy, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [copy.path / "bin" / "up", *arguments],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def install(copy: WorkingCopy, **environment: str) -> subprocess.CompletedProcess[str]:
    """Install `.venv` alone, as bin/up does."""
    return subprocess.run(
        [sys.executable, "-c", INSTALL],
        cwd=copy.path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


INSTALL = """
from deploy.local.environments import APP, InstallError, install
try:
    install(APP)
except InstallError as error:
    raise SystemExit(str(error))
"""


def test_a_python_that_is_too_old_is_named_with_the_fix(copy: WorkingCopy, path: Path) -> None:
    put(path, "python3", OLD_PYTHON)

    result = up(copy, path)

    assert result.returncode == 1
    assert "needs Python 3.11 or newer, and none was found: python3 is 3.9.2." in result.stderr
    assert "apt install python3" in result.stderr
    assert not (copy.path / ".venv").exists()


def test_a_python_without_virtual_environments_is_named_with_the_fix(copy: WorkingCopy, path: Path) -> None:
    put(path, "python3", WITHOUT_ENSUREPIP)

    result = up(copy, path)

    assert result.returncode == 1
    assert "python3 cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)" in result.stderr


@pytest.mark.parametrize("unusable", [OLD_PYTHON, BROKEN_STUB, WITHOUT_ENSUREPIP])
def test_a_good_python_is_found_behind_an_unusable_one(copy: WorkingCopy, path: Path, unusable: str) -> None:
    put(path, "python3", unusable)
    put(path, "python3.13", BROKEN_STUB)
    put(path, "python3.12", f'#!/bin/sh\nexec {sys.executable} "$@"\n')

    result = up(copy, path, "--help")

    assert result.returncode == 0, result.stderr
    assert "usage: bin/up" in result.stdout


def test_a_half_made_environment_is_made_again(copy: WorkingCopy) -> None:
    rubbish = copy.path / ".venv" / "bin"
    rubbish.mkdir(parents=True)
    put(rubbish, "python", "#!/bin/sh\nexit 1\n")

    result = install(copy)

    assert result.returncode == 0, result.stderr
    assert "Making .venv" in result.stdout
    assert subprocess.run([rubbish / "python", "-m", "pip", "--version"], check=False).returncode == 0


def test_a_changed_lock_is_installed_and_an_unchanged_one_is_not(installed: WorkingCopy) -> None:
    unchanged = install(installed)
    (installed.path / "requirements.txt").write_text("# changed\n")

    changed = install(installed)

    assert unchanged.stdout == ""
    assert "Installing requirements.txt" in changed.stdout
    assert "Making" not in changed.stdout
    assert install(installed).stdout == ""


def test_no_network_is_told_in_one_sentence_and_leaves_the_install_unfinished(installed: WorkingCopy) -> None:
    (installed.path / "requirements.txt").write_text(f"gate==1.0 --hash=sha256:{'0' * 64}\n")
    index = f"http://127.0.0.1:{free_port()}/simple"
    elsewhere = {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}

    result = install(installed, PIP_INDEX_URL=index, **elsewhere)

    assert result.returncode == 1
    assert "could not be downloaded: no package index was reached. Check the network" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (installed.path / ".venv" / "installed-locks").exists()


def test_a_package_that_does_not_match_its_hash_is_refused(installed: WorkingCopy, tmp_path: Path) -> None:
    (tmp_path / "gate-1.0.tar.gz").write_bytes(b"not what was locked")
    (installed.path / "requirements.txt").write_text(f"gate==1.0 --hash=sha256:{'0' * 64}\n")

    result = install(installed, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path), PIP_CONFIG_FILE=os.devnull)

    assert result.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in result.stderr
