"""Pictures of the operators' console: with nothing to see, with little, and on a busy day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.screenshots import Studio
    from tests.fake_user_pool import Person

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


def flagged_sessions(studio: Studio) -> None:
    from tests.dashboard.console.support import make_flagged, make_person

    now = timezone.now()
    with studio.person(_admin(studio)) as page:
        page.goto("/console/sessions/?state=flagged")
        studio.take(page, "console-flagged-none")
        grete = make_person("grete.sommer", studio.alias, name="Grete Sommer")
        for address in ("198.51.100.7", "2001:db8:4c1a:9f00:7d2e:13ff:fe40:8b21"):
            make_flagged(grete, now, ip_address=address)
        page.goto("/console/")
        studio.take(page, "console-overview-flagged")
        page.get_by_role("link", name="Not recognised by their owners").click()
        studio.take(page, "console-flagged")
        page.locator("tbody th a").first.click()
        studio.take(page, "console-session-flagged")
        page.get_by_label("Reason").fill("Her new phone, she remembers now")
        page.get_by_role("button", name="Settle").click()
        studio.take(page, "console-session-settled")


def cognito_on_a_person(studio: Studio) -> None:
    """Ask Cognito about somebody: without credentials, with them, and with those that IAM refuses."""
    from accounts.models import User

    with studio.person(studio.pool.add_person("kim@example.com", name="Kim Lee")):
        pass
    with studio.person(_admin(studio)) as page:
        kim = f"/console/people/{User.objects.using(studio.alias).get(email='kim@example.com').pk}/"
        page.goto(kim)
        studio.take(page, "console-person-no-credentials")
        credentials = {"COGNITO_ADMIN_API": "true", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        with _settings(studio, credentials):
            page.goto(kim)
            studio.take(page, "console-person-may-ask")
            page.get_by_role("button", name="Ask Cognito").click()
            studio.take(page, "console-person-asked")
            studio.pool.fail("AdminGetUser", "AccessDeniedException")
            page.get_by_role("button", name="Ask again").click()
            studio.take(page, "console-person-denied")


def calls_to_cognito(studio: Studio) -> None:
    """Show how calls fare: some fast, some slow, some unanswered; and with a cache that is out of reach."""
    with studio.person(_admin(studio)) as page:
        for number in range(3):
            with studio.person(studio.pool.add_person(f"caller{number}@example.com")) as caller:
                caller.goto("/profile/")
                if number == 2:
                    studio.pool.fail("RevokeToken", "TooManyRequestsException")
                caller.goto("/logout/")
                caller.locator("form button").first.click()
        page.goto("/console/health/")
        studio.take(page, "console-health-calls")
        with _settings(studio, {"CACHE_URL": "rediscache://127.0.0.1:9/0"}):
            for name in ("", "health"):
                _open(studio, page, name, f"console-{name or 'overview'}-no-cache")


@contextmanager
def _settings(studio: Studio, variables: dict[str, str]) -> Iterator[None]:
    """Run the app with other settings inside the block."""
    before = studio.server.variables
    _restart(studio, dict(before) | variables)
    try:
        yield
    finally:
        _restart(studio, before)


def _restart(studio: Studio, variables: Mapping[str, str]) -> None:
    studio.server.stop()
    studio.server.variables = variables
    studio.server.start()


def _admin(studio: Studio) -> Person:
    return studio.pool.add_person(f"ada.{len(studio.pool.people)}@example.com", name="Ada Admin", groups=["admins"])


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
