"""Reading the project's own documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent.parent
DOCS = PROJECT / "docs"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?:#|<!--) (\S+?\.\w+)(, at its end)?(?: -->)?\n")


class Block(NamedTuple):
    """A fenced block; `path` is the file its first line names, or empty."""

    language: str
    path: str
    goes_at_the_end: bool
    text: str


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return sorted([*PROJECT.glob("*.md"), *DOCS.rglob("*.md")])


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    return list(_blocks(page.read_text()))


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text())


def table_rows(page: Path) -> list[list[str]]:
    """Return the cells of every table row of a page, heads and rules included."""
    rows = [line for line in prose(page).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def _blocks(text: str) -> Iterator[Block]:
    for language, body in FENCE.findall(text):
        named = NAMED.match(body)
        if named:
            yield Block(language, named[1], bool(named[2]), body[named.end() :])
        else:
            yield Block(language, "", False, body)
