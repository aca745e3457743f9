"""docs/security.md makes no claim that no test proves."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.support import DOCS, PROJECT, table_rows

TEST_FILE = re.compile(r"`(tests/[\w/]+\.py)`")
INVARIANTS = {row[0]: row[-1] for row in table_rows(DOCS / "security.md") if row[0].isdecimal()}


def test_every_invariant_names_a_test() -> None:
    assert list(INVARIANTS) == [str(number) for number in range(1, 11)]

    assert [number for number, proof in INVARIANTS.items() if not TEST_FILE.search(proof)] == []


def test_every_test_that_is_named_exists_and_tests() -> None:
    named = {path for proof in INVARIANTS.values() for path in TEST_FILE.findall(proof)}

    assert sorted(path for path in named if not has_tests(PROJECT / path)) == []


def has_tests(file: Path) -> bool:
    return file.is_file() and "def test_" in file.read_text()
