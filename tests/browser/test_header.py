"""The header on the narrowest phone that counts: every item of an operator, in long words too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Site, Visitor

WIDTH = 360
# German needs about 30 % more room than English.
LENGTHEN = """
share => document.querySelectorAll("header nav a").forEach(
  a => a.textContent += "m".repeat(Math.ceil(a.textContent.length * share)))
"""
ITEMS_PER_LINE = """
() => {
  const lines = {};
  for (const item of document.querySelectorAll("header nav li")) {
    const top = Math.round(item.getBoundingClientRect().top);
    lines[top] = (lines[top] || 0) + 1;
  }
  return Object.values(lines);
}
"""
IS_TOO_WIDE = "() => document.documentElement.scrollWidth > window.innerWidth"


@pytest.mark.parametrize("with_badge", [True, False])
@pytest.mark.parametrize(
    ("group", "longer", "lines"), [("", 0, [5]), ("", 0.3, [3, 2]), ("admins", 0, [3, 3]), ("admins", 0.3, [3, 3])]
)
def test_no_item_stands_alone_on_a_line(
    site: Site, visit: Callable[..., Visitor], group: str, longer: float, lines: list[int], with_badge: bool
) -> None:
    visitor = visit(site.pool.add_person("header", groups=(group,) if group else ()))
    visitor.page.set_viewport_size({"width": WIDTH, "height": 800})
    visitor.sign_in()

    visitor.page.evaluate(LENGTHEN, longer)
    if not with_badge:
        visitor.page.evaluate("document.querySelector('.local-badge').remove()")

    assert visitor.page.evaluate(ITEMS_PER_LINE) == lines
    assert not visitor.page.evaluate(IS_TOO_WIDE)
