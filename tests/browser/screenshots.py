"""Pictures of every page in every state, light and dark, on a phone and on a desk, into `screenshots/`.

Run it with `python -m tests.browser.screenshots`, and give parts of scenes' names to take only some. With `--also` it
takes more: in forced colours, with more contrast, and on paper. It fails if a page is wider than its window. CHROMIUM
names the browser if it is not called chromium.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from playwright.sync_api import Page

from tests.browser.studio import open_studio

TARGET = Path(__file__).resolve().parent.parent.parent / "screenshots"
WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")
AS_USUAL: dict[str, Any] = {
    "color_scheme": "light",
    "reduced_motion": "reduce",
    "forced_colors": "none",
    "contrast": "no-preference",
    "media": "screen",
}
OTHERWISE: dict[str, dict[str, Any]] = {
    "forced-colours": {"forced_colors": "active"},
    "more-contrast": {"contrast": "more"},
    "paper": {"media": "print"},
}
IS_TOO_WIDE = "() => document.documentElement.scrollWidth > window.innerWidth"


@dataclass
class Camera:
    """Takes the pictures of what a page shows, in every scheme and width."""

    also: bool = False
    too_wide: list[str] = field(default_factory=list)

    def take(self, page: Page, name: str) -> None:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for scheme in SCHEMES:
                self._shoot(page, f"{name}-{width}-{scheme}", color_scheme=scheme)
            if page.evaluate(IS_TOO_WIDE):
                self.too_wide.append(f"{name} at {width} px")
        for way, media in OTHERWISE.items() if self.also else ():
            self._shoot(page, f"{name}-{way}", **media)
        page.emulate_media(**AS_USUAL)  # paper has no buttons to press

    def _shoot(self, page: Page, name: str, **media: Any) -> None:
        page.emulate_media(**(AS_USUAL | media))
        page.screenshot(path=TARGET / f"{name}.png", full_page=True)


def main(*arguments: str) -> int:
    """Take the pictures; return 1 if a page was too wide."""
    # Playwright runs an event loop in this thread, and Django would refuse to use the database beside it.
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    django.setup()
    from tests.browser.scenes import ADMIN, OPERATORS, OWN, show

    wanted = [argument for argument in arguments if not argument.startswith("-")]
    camera = Camera(also="--also" in arguments)
    TARGET.mkdir(exist_ok=True)
    for part in (OWN, OPERATORS, ADMIN):
        scenes = [scene for scene in part if not wanted or any(name in scene.__name__ for name in wanted)]
        if scenes:
            with open_studio(camera.take) as studio:
                show(studio, scenes)
    for name in camera.too_wide:
        sys.stderr.write(f"Too wide: {name}\n")
    return 1 if camera.too_wide else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
