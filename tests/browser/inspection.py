"""What one look at every page brings to light, for tests to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Page
from pytest_django import DjangoDbBlocker

from tests.browser.axe import COLOURS, EVERYTHING, violations
from tests.browser.scenes import Scene, show
from tests.browser.screenshots import AS_USUAL, IS_TOO_WIDE
from tests.browser.studio import find_chromium, open_studio

# The full set at each width; of what only differs in colour, what depends on colour.
LOOKS: tuple[tuple[int, dict[str, Any], dict[str, Any]], ...] = (
    (360, {"color_scheme": "light"}, EVERYTHING),
    (360, {"color_scheme": "dark"}, COLOURS),
    (1280, {"color_scheme": "light"}, EVERYTHING),
    (1280, {"color_scheme": "dark"}, COLOURS),
)
# Once for each page, whatever its state. Not in forced colours: axe reads a property that these leave as it was.
FURTHER_LOOKS: tuple[tuple[int, dict[str, Any], dict[str, Any]], ...] = (
    (1280, {"color_scheme": "light", "contrast": "more"}, COLOURS),
    (1280, {"color_scheme": "dark", "contrast": "more"}, COLOURS),
)
OUTLINE = """
() => ({
  title: document.title,
  language: document.documentElement.lang,
  headings: Array.from(document.querySelectorAll("h1, h2, h3, h4, h5, h6"), heading => Number(heading.tagName[1])),
  mains: document.querySelectorAll("main").length,
  heading: document.querySelector("h1")?.textContent.trim(),
})
"""


@dataclass
class Shown:
    """A page in a state: which one it is, how it is built, and what is wrong with it."""

    name: str
    path: str
    route: str
    outline: dict[str, Any]
    violations: set[tuple[str, str]] = field(default_factory=set)
    too_wide_at: list[int] = field(default_factory=list)


@dataclass
class Inspection:
    """Every page of a part of the app, and the templates they were made of."""

    pages: list[Shown] = field(default_factory=list)
    templates: set[str] = field(default_factory=set)

    def take(self, page: Page, name: str) -> None:
        path = urlsplit(page.url).path
        shown = Shown(name, path, _route(path), page.evaluate(OUTLINE))
        is_new = shown.route not in {other.route for other in self.pages}
        for width, media, only in LOOKS + (FURTHER_LOOKS if is_new else ()):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(**(AS_USUAL | media))
            shown.violations |= set(violations(page, only))
            if page.evaluate(IS_TOO_WIDE) and width not in shown.too_wide_at:
                shown.too_wide_at.append(width)
        self.pages.append(shown)

    def violations(self) -> list[str]:
        """Return what axe found, as lines to read."""
        return [f"{page.name}: {rule} {what}" for page in self.pages for rule, what in sorted(page.violations)]


def inspect(scenes: Sequence[Scene], db_blocker: DjangoDbBlocker) -> Inspection:
    """Return what there is to say of every page of these scenes; the browser is closed again when the tests judge."""
    if not find_chromium():
        pytest.skip("no Chromium found: install one, or name it in CHROMIUM")
    inspection = Inspection()
    with pytest.MonkeyPatch.context() as environment, db_blocker.unblock():
        # Playwright's event loop runs in this thread, and the scenes arrange rows beside it.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with open_studio(inspection.take) as studio:
            show(studio, scenes)
            inspection.templates = studio.templates()
    return inspection


def _route(path: str) -> str:
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""
