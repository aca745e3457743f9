"""Pictures of the operators' console: with nothing to see, with little, and on a busy day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.screenshots import Studio

LISTS = ("sessions", "people", "events", "revocations")


def console(studio: Studio) -> None:
    from tests.dashboard.console.support import make_busy_day  # models: only after django.setup()

    ada = studio.pool.add_person("ada@example.com", name="Ada Admin", groups=["admins"])
    with studio.person(ada) as page:
        for name in ("", *LISTS, "health"):
            _open(studio, page, name, f"console-{name or 'overview'}-quiet")
        page.goto("/console/sessions/?q=nobody&health=asleep")
        studio.take(page, "console-sessions-empty")
        make_busy_day(timezone.now(), studio.alias)
        # A process remembers what it counted in the hours that are over.
        studio.server.stop()
        studio.server.start()
        for name in ("", *LISTS, "health"):
            _open(studio, page, name, f"console-{name or 'overview'}")
        _walk(studio, page)


def console_for_viewers(studio: Studio) -> None:
    viola = studio.pool.add_person("viola@example.com", name="Viola Viewer", groups=["support"])
    with studio.person(viola) as page:
        page.goto("/console/sessions/")
        studio.take(page, "console-sessions-viewer")
    with studio.person(studio.pool.add_person("otto@example.com")) as page:
        page.goto("/console/")
        studio.take(page, "console-refused")


def _open(studio: Studio, page: Page, name: str, picture: str) -> None:
    page.goto(f"/console/{name}/" if name else "/console/")
    studio.take(page, picture)


def _walk(studio: Studio, page: Page) -> None:
    """Go from the list to one session, one person and one revocation, and end some sessions."""
    page.goto("/console/sessions/?health=refresh_failing&age=-1d")
    studio.take(page, "console-sessions-filtered")
    page.locator("tbody td[data-label=Session] a").first.click()
    page.get_by_role("button", name="End this session").click()
    studio.take(page, "console-session")
    page.goto("/console/sessions/?select=page")
    page.get_by_role("button", name="End selected…").click()
    page.get_by_label("Reason").fill("Laptops stolen from the office")
    page.get_by_label("Number of sessions").fill("5")
    page.get_by_role("button", name="End 50 sessions").click()
    studio.take(page, "console-end-sessions")
    page.goto("/console/sessions/end/")
    studio.take(page, "console-end-sessions-none")
    page.goto("/console/events/?kind=refresh_reused")
    page.locator("tbody td[data-label=Person] a").first.click()
    studio.take(page, "console-person")
    page.goto("/console/revocations/?state=pending")
    studio.take(page, "console-revocations-pending")
    page.locator("tbody th a").first.click()
    studio.take(page, "console-revocation")
    page.goto("/console/sessions/")
    page.locator("tbody td[data-label=Session] a").nth(2).click()
    page.get_by_label("Reason").fill("Asked for by phone")
    page.get_by_role("button", name="End this session").click()
    studio.take(page, "console-session-ended")
