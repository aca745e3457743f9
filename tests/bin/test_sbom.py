"""bin/sbom: one command writes what runs in production, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.bin.support import ROOT

PINNED = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)


def bill_of_materials(file: Path) -> str:
    done = subprocess.run([ROOT / "bin" / "sbom", file], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr
    return file.read_text()


@pytest.fixture(scope="module")
def sbom(tmp_path_factory: pytest.TempPathFactory) -> str:
    return bill_of_materials(tmp_path_factory.mktemp("sbom") / "sbom.json")


def test_it_keeps_to_the_schema(sbom: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom) is None


def test_it_lists_every_package_of_production_with_version_and_hashes(sbom: str) -> None:
    lock = (ROOT / "requirements.txt").read_text()
    pinned = {
        (name, version, tuple(re.findall(r"sha256:(\w+)", hashes))) for name, version, hashes in PINNED.findall(lock)
    }

    listed = {(each["name"], each["version"], hashes_of(each)) for each in json.loads(sbom)["components"]}

    assert listed == pinned
    assert len(listed) == lock.count("==")


def hashes_of(component: dict[str, Any]) -> tuple[str, ...]:
    found = [each for reference in component["externalReferences"] for each in reference.get("hashes", ())]
    assert {each["alg"] for each in found} == {"SHA-256"}
    return tuple(each["content"] for each in found)


def test_the_same_lock_makes_the_same_file(sbom: str, tmp_path: Path) -> None:
    assert bill_of_materials(tmp_path / "again.json") == sbom
