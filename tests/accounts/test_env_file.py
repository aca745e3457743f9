from __future__ import annotations

import stat
from pathlib import Path

import environ
import pytest

from accounts.env_file import merge_env_file, read_env_file


def test_a_file_that_does_not_exist_has_no_values(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / "none") == {}


def test_merging_replaces_adds_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# a comment\n\nA=1\nexport B='two words'\n")

    merge_env_file(file, {"A": "3", "C": "4"})

    assert file.read_text() == "# a comment\n\nA=3\nexport B='two words'\nC=4\n"


def test_merging_leaves_one_line_of_each_name(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("A=1\nB=2\nA=3\n")

    merge_env_file(file, {"A": "4"})

    assert file.read_text() == "A=4\nB=2\n"


def test_only_the_owner_may_read_what_was_merged(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("A=1\n")
    file.chmod(0o644)

    merge_env_file(file, {"A": "2"})

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_the_settings_read_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "env"
    values = {"SECRET": "a+b/c==", "SCOPES": "openid email gatehouse/sessions.read", "EMPTY": ""}

    merge_env_file(file, values)

    environment: dict[str, str] = {}
    monkeypatch.setattr(environ.Env, "ENVIRON", environment)
    environ.Env.read_env(file)
    assert environment == values == read_env_file(file)
