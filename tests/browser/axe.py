"""axe-core on a page as it is shipped: the script comes in by the debugger's door, so the page's own policy holds."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Page

# WCAG 2.2 AA includes all before it; best practices are what axe's makers add.
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What depends on colours; the rest is the same in every scheme.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# A colour on its way to another is none that anybody reads by.
RUN = """
only => {
  document.getAnimations().forEach(animation => animation.finish());
  return axe.run(document, { runOnly: only, resultTypes: ["violations"] });
}
"""


def violations(page: Page, only: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rule and the element of everything that axe finds."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [
        (violation["id"], f"{node['target']} {node['html'][:200]} {node['failureSummary']}")
        for violation in page.evaluate(RUN, only)["violations"]
        for node in violation["nodes"]
    ]
