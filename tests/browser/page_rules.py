"""The rules that every page is held to, on a phone and on a desk, in light and in dark."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, ClassVar

from django.urls import URLResolver, get_resolver

from tests.browser.inspection import Inspection

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
ADMIN = "admin:"
# What answers a browser's GET with something else than a page of its own.
NO_PAGES = {
    *("login", "csp_report", "api_session", "set_language"),
    *("logout_everywhere", "revoke_session", "revoke_other_sessions", "kept_form_send", "kept_form_discard"),
    *("console_end_session", "console_settle_flag", "console_end_person", "console_sign_out_everywhere"),
    *("console_retry_revocation", "console_give_up_revocation"),
    *("console_sessions_csv", "console_events_csv", "console_events_jsonl"),
}
ADMIN_PAGES = ("index", "app_list", "_changelist", "_change")


class PageRules:
    """Tests of all pages of a part of the app; the part says which routes and templates are its own."""

    # What axe finds in what is not ours: rule and element.
    KNOWN: ClassVar[tuple[str, ...]] = ()

    def is_ours(self, name: str) -> bool:
        """Tell whether a route or a template belongs to this part."""
        raise NotImplementedError

    def test_axe_finds_nothing(self, inspection: Inspection) -> None:
        found = inspection.violations()

        assert [line for line in found if not any(known in line for known in self.KNOWN)] == []
        assert [known for known in self.KNOWN if not any(known in line for line in found)] == []

    def test_no_page_is_wider_than_its_window(self, inspection: Inspection) -> None:
        assert [(page.name, page.too_wide_at) for page in inspection.pages if page.too_wide_at] == []

    def test_every_page_has_one_main_part_under_one_heading_and_skips_no_level(self, inspection: Inspection) -> None:
        askew = [page.name for page in inspection.pages if not _is_in_order(page.outline)]

        assert askew == []

    def test_every_title_says_which_page_it_is(self, inspection: Inspection) -> None:
        pages = [(page.outline["title"], page.route, page.outline["heading"]) for page in inspection.pages]

        # What answers a form stands at the address of the page with the form.
        shared = [(one, other) for one, other in combinations(pages, 2) if one[0] == other[0] and _differ(one, other)]
        assert shared == []
        assert all(title.endswith((" \u2013 Gatehouse", " | Gatehouse tables")) for title, _route, _heading in pages)

    def test_every_page_has_a_scene(self, inspection: Inspection) -> None:
        shown = {page.route for page in inspection.pages}
        pages = {name for name in _route_names(get_resolver()) if self.is_ours(name) and _is_page(name)}

        assert pages - shown == set()

    def test_every_template_is_part_of_a_scene(self, inspection: Inspection) -> None:
        templates = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")}

        assert {name for name in templates if self.is_ours(name)} - inspection.templates == set()


def _differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(mine != theirs for mine, theirs in zip(one[1:], other[1:], strict=True))


def _is_in_order(outline: dict[str, Any]) -> bool:
    headings = outline["headings"]
    steps = pairwise(headings)
    return bool(
        headings.count(1) == 1 and outline["mains"] == 1 and all(after <= before + 1 for before, after in steps)
    )


def _is_page(name: str) -> bool:
    return name.endswith(ADMIN_PAGES) if name.startswith(ADMIN) else name not in NO_PAGES


def _route_names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _route_names(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif pattern.name:
            yield namespace + pattern.name
