"""docs/architecture.md names what there is."""

from __future__ import annotations

import re

import pytest

from tests.docs.support import DOCS, PROJECT, pages, table_rows

PAGE = DOCS / "architecture.md"
REQUIREMENT = re.compile(r"^([A-Za-z0-9_-]+)", re.MULTILINE)
CHECK_ID = re.compile(r"\baccounts\.[EW]\d{3}\b")
SOURCE = re.compile(r"`((?:accounts|dashboard|config|deploy|tests)/[\w./-]*)`")
LOCKS = [
    "requirements.in",
    "requirements-observability.in",
    "requirements-dev.in",
    "requirements-local.in",
    "requirements-bench.in",
]
FIRST_CELLS = {row[0] for row in table_rows(PAGE)}


@pytest.mark.parametrize("name", LOCKS)
def test_every_dependency_says_how_it_earns_its_place(name: str) -> None:
    required = REQUIREMENT.findall((PROJECT / name).read_text().replace("-r ", "# "))

    assert [package for package in required if package not in FIRST_CELLS] == []


def test_every_system_check_is_explained() -> None:
    ids = {check for file in (PROJECT / "accounts").rglob("*.py") for check in CHECK_ID.findall(file.read_text())}

    explained = {check for page in DOCS.glob("*.md") for check in CHECK_ID.findall(page.read_text())}

    assert explained == ids


def test_every_file_that_is_named_exists() -> None:
    named = {path for page in pages() for path in SOURCE.findall(page.read_text())}

    roots = (PROJECT, PROJECT / "templates")
    assert sorted(path for path in named if not any((root / path).exists() for root in roots)) == []
