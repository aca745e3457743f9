"""Every page agrees with the code and with the other pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.docs.support import PROJECT, blocks, pages, prose

PAGES = pages()
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
COMMAND = re.compile(r"manage\.py ([a-z_]+)([^`\n]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z-]+")
README_LINES = 150
PICTURE_BYTES = 200_000
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))


def anchor(heading: str) -> str:
    """Return the fragment that code hosts give a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_readme_is_short() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) < README_LINES


@every_page
def test_links_within_the_project_resolve(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        anchors = map(anchor, HEADING.findall(prose(target))) if target.suffix == ".md" and target.exists() else []
        if not target.exists() or (fragment and fragment not in anchors):
            broken.append(link)

    assert broken == []


@every_page
def test_every_command_named_exists_and_has_the_options_it_is_given(page: Path) -> None:
    wrong = []
    for name, rest in COMMAND.findall(page.read_text()):
        application = get_commands().get(name)
        if application is None:
            wrong.append(name)
            continue
        known = command_options(load_command_class(application, name).create_parser("manage.py", name))
        wrong += [f"{name} {option}" for option in OPTION.findall(rest) if option not in known]

    assert wrong == []


def command_options(parser: object) -> set[str]:
    """Return the option strings of an argument parser and of its subparsers."""
    found: set[str] = set()
    for action in getattr(parser, "_actions", []):
        found |= set(action.option_strings)
        if isinstance(action.choices, dict):
            for subparser in action.choices.values():
                found |= command_options(subparser)
    return found


def test_pictures_are_small() -> None:
    pictures = list((PROJECT / "docs" / "images").glob("*.png"))

    assert pictures
    assert [picture.name for picture in pictures if picture.stat().st_size >= PICTURE_BYTES] == []


@every_page
def test_programs_named_in_shell_blocks_exist(page: Path) -> None:
    lines = [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]

    programs = [line.split()[0] for line in lines if line.startswith("bin/")]

    assert [program for program in programs if not (PROJECT / program).is_file()] == []
