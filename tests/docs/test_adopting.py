"""docs/adopting.md, followed to the letter: a new project in which people sign in, without dashboard and config."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import global_settings

from tests.docs.support import DOCS, PROJECT, blocks

READS_A_SETTING = re.compile(r"\bsettings\.([A-Z][A-Z_]+)")
GUIDE = DOCS / "adopting.md"
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "shop.settings",
    "SITE_URL": "http://localhost",
    "TOKEN_ENCRYPTION_KEYS": "b25seS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2RlZjA",
    "COGNITO_USER_POOL_ID": "us-east-1_Test12345",
    "COGNITO_CLIENT_ID": "test-client",
    "COGNITO_DOMAIN": "http://localhost:9",
}


def run(directory: Path, *command: str) -> str:
    """Run a command in the new project, with nothing of this project on its path; return what it prints."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "gatehouse": str(PROJECT),
        **ENVIRONMENT,
    }
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_a_new_project_that_follows_the_guide_signs_people_in(tmp_path: Path) -> None:
    start = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    startproject = [sys.executable, "-m", "django", "startproject", "shop", "."]
    subprocess.run(startproject, cwd=tmp_path, env=start, check=True)

    for block in blocks(GUIDE):
        if block.path:
            file = tmp_path / block.path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a" if block.goes_at_the_end else "w") as opened:
                opened.write(block.text)
        elif block.language == "sh":
            run(tmp_path, "sh", "-euc", block.text)
    report = run(tmp_path, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")

    assert not (tmp_path / "dashboard").exists()
    assert "5 passed" in report


def test_the_guide_sets_every_setting_that_accounts_reads() -> None:
    read = {name for file in (PROJECT / "accounts").rglob("*.py") for name in READS_A_SETTING.findall(file.read_text())}

    [written] = [block.text for block in blocks(GUIDE) if block.path == "shop/settings.py"]

    assert {name for name in read if name not in written and not hasattr(global_settings, name)} == set()
