from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from deploy.audit import CLEAN, UNKNOWN, VULNERABLE, report
from tests.bin.support import ROOT

FINE: dict[str, Any] = {"name": "django", "version": "5.2", "vulns": []}
BAD = FINE | {"name": "jwt", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.0"]}]}
SKIPPED = {"name": "boto3", "skip_reason": "Dependency not found on PyPI and could not be audited: boto3 (1.0)"}


@pytest.mark.parametrize(
    ("packages", "status"),
    [
        ([FINE], CLEAN),
        ([FINE, BAD], VULNERABLE),
        ([FINE, SKIPPED], UNKNOWN),
        ([SKIPPED, BAD], VULNERABLE),
        ([], UNKNOWN),
    ],
)
def test_what_nobody_answered_for_is_not_clean(packages: list[dict[str, Any]], status: int) -> None:
    assert report(packages) == status


def test_a_vulnerability_is_told_with_its_fix(capsys: pytest.CaptureFixture[str]) -> None:
    report([BAD])

    assert "jwt 5.2: PYSEC-1, fixed in 2.0" in capsys.readouterr().out


@pytest.mark.slow
def test_a_database_out_of_reach_has_a_status_of_its_own() -> None:
    closed = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")

    done = subprocess.run(
        [ROOT / "bin" / "audit"],
        env=os.environ | closed | {"NO_PROXY": "", "no_proxy": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == UNKNOWN, done.stdout + done.stderr
    assert "database" in done.stderr
