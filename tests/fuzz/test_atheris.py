"""Inputs that follow the coverage of the code, for a few seconds; CONTRIBUTING.md says how to go on for hours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bin.support import ROOT

RUNS = 20_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="atheris is installed on Linux only")
@pytest.mark.parametrize("harness", ["atheris_tokens", "atheris_sealed", "atheris_pending"])
def test_nothing_but_the_named_errors_comes_out(harness: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    options = ["-seed=1", f"-runs={RUNS}", "-max_total_time=20", "-max_len=4096", f"-artifact_prefix={tmp_path}/"]

    done = subprocess.run(
        [sys.executable, "-m", f"tests.fuzz.{harness}", *options, corpus],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "DONE" in done.stderr, done.stderr[-3000:]
    assert len(list(corpus.iterdir())) > len(list(corpus.glob("seed-*")))
