"""docs/security.md makes no claim that no test proves, and leaves no requirement out."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.docs.support import DOCS, PROJECT, table_rows

TEST_FILE = re.compile(r"`(tests/[\w/]+\.py)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
REQUIREMENT = re.compile(r"[VR]\d+(\.\d+)+")
STATUSES = {"met", "Cognito", "deployer", "does not apply", "not met"}
ROWS = table_rows(DOCS / "security.md")
INVARIANTS = {row[0]: row[-1] for row in ROWS if row[0].isdecimal()}
REQUIREMENTS = [row for row in ROWS if REQUIREMENT.fullmatch(row[0])]
# How many requirements each section of ASVS 5.0.0 has, and which sections of RFC 9700 ask something.
SECTIONS = {
    "V3.1": 1,
    "V3.2": 3,
    "V3.3": 5,
    "V3.4": 8,
    "V3.5": 8,
    "V3.6": 1,
    "V3.7": 5,
    "V6.1": 3,
    "V6.2": 12,
    "V6.3": 8,
    "V6.4": 6,
    "V6.5": 8,
    "V6.6": 4,
    "V6.7": 2,
    "V6.8": 4,
    "V7.1": 3,
    "V7.2": 4,
    "V7.3": 2,
    "V7.4": 5,
    "V7.5": 3,
    "V7.6": 2,
    "V9.1": 3,
    "V9.2": 4,
    "V10.1": 2,
    "V10.2": 3,
    "V10.3": 5,
    "V10.4": 16,
    "V10.5": 5,
    "V10.6": 2,
    "V10.7": 3,
    "R4": 17,
}
WANTED = {
    *(f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)),
    *("R2.1", "R2.1.1", "R2.1.2", "R2.2.1", "R2.2.2", "R2.3", "R2.4", "R2.5", "R2.6"),
}


def test_every_invariant_names_a_test() -> None:
    assert list(INVARIANTS) == [str(number) for number in range(1, 11)]

    assert [number for number, proof in INVARIANTS.items() if not TEST_FILE.search(proof)] == []


def test_every_test_file_that_is_named_exists_and_tests() -> None:
    named = {path for row in ROWS for cell in row for path in TEST_FILE.findall(cell)}

    assert sorted(path for path in named if not names_in(path)) == []


def test_every_test_that_is_named_exists() -> None:
    named = {found for row in ROWS for cell in row for found in TEST.findall(cell)}

    assert len(named) > 50
    assert sorted(f"{path}::{name}" for path, name in named if name not in names_in(path)) == []


def test_every_requirement_is_listed_once() -> None:
    listed = Counter(row[0] for row in REQUIREMENTS)

    assert [name for name, times in listed.items() if times > 1] == []
    assert set(listed) ^ WANTED == set()


@pytest.mark.parametrize("row", REQUIREMENTS, ids=lambda row: row[0])
def test_a_requirement_is_met_with_proof_or_has_a_reason(row: list[str]) -> None:
    status, how, proof = row[-3:]

    assert status in STATUSES
    assert how or status == "Cognito"
    assert TEST.search(proof) or status != "met"


def test_a_name_that_no_test_has_is_noticed() -> None:
    assert "test_a_name_that_no_test_has_is_noticed" in names_in("tests/docs/test_security.py")
    assert "test_that_there_is_not" not in names_in("tests/docs/test_security.py")
    assert names_in("tests/docs/test_nothing.py") == set()


@cache
def names_in(path: str) -> set[str]:
    """Return the names of the tests in a file, as its source has them."""
    file: Path = PROJECT / path
    source = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
    return {node.name for node in source.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
