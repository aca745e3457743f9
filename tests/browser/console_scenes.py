"""Pictures of the operators' console: with nothing to see, with little, and on a busy day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from tests.browser.people import make_admin

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.studio import Studio

LISTS = ("sessions", "people", "events", "revocations")


def console(studio: Studio) -> None:
    from tests.dashboard.console.support import make_busy_day  # models: only after django.setup()

    ada = studio.pool.add_person("ada@example.com", name="Ada Admin", groups=["admins"])
    with studio.person(ada) as page:
        for name in ("", *LISTS, "health"):
            _open(studio, page, name, f"console-{name or 'overview'}-quiet")
        page.goto("/console/sessions/?q=nobody&health=asleep")
        studio.take(page, "console-sessions-empty")
        page.goto("/console/sessions/?group=nope&age=-1d")
        studio.take(page, "console-sessions-senseless")
        make_busy_day(timezone.now(), studio.alias)
        # A process remembers what it counted in the hours that are over.
        studio.restart()
        for name in ("", *LISTS, "health"):
            _open(studio, page, name, f"console-{name or 'overview'}")
        _walk(studio, page)


def console_for_viewers(studio: Studio) -> None:
    viola = studio.pool.add_person("viola@example.com", name="Viola Viewer", groups=["support"])
    with studio.person(viola) as page:
        page.goto("/console/sessions/")
        studio.take(page, "console-sessions-viewer")


def console_in_german(studio: Studio) -> None:
    with studio.person(make_admin(studio), locale="de-DE") as page:
        for name in ("", "sessions", "events", "health"):
            _open(studio, page, name, f"german-console-{name or 'overview'}")


def console_long_after_signing_in(studio: Studio) -> None:
    ada = make_admin(studio)
    with studio.person(ada) as page:
        studio.sessions_of(ada).update(auth_time=timezone.now() - timedelta(hours=3))
        page.goto(f"/console/sessions/{studio.sessions_of(ada).get().public_id}/")
        studio.take(page, "console-session-confirm-first")


def flagged_sessions(studio: Studio) -> None:
    from tests.dashboard.console.support import make_flagged, make_person

    now = timezone.now()
    with studio.person(make_admin(studio)) as page:
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
        studio.press(page, "Settle")
        studio.take(page, "console-session-settled")


def cognito_on_a_person(studio: Studio) -> None:
    """Ask Cognito about somebody: without credentials, with them, and with those that IAM refuses."""
    from accounts.models import User

    with studio.person(studio.pool.add_person("kim@example.com", name="Kim Lee")):
        pass
    with studio.person(make_admin(studio)) as page:
        kim = f"/console/people/{User.objects.using(studio.alias).get(email='kim@example.com').pk}/"
        page.goto(kim)
        studio.take(page, "console-person-no-credentials")
        credentials = {"COGNITO_ADMIN_API": "true", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        with studio.settings(**credentials):
            page.goto(kim)
            studio.take(page, "console-person-may-ask")
            studio.press(page, "Ask Cognito")
            studio.take(page, "console-person-asked")
            studio.pool.fail("AdminGetUser", "AccessDeniedException")
            studio.press(page, "Ask again")
            studio.take(page, "console-person-denied")


def calls_to_cognito(studio: Studio) -> None:
    """Show how calls fare: some fast, some slow, some unanswered; and with a cache that is out of reach."""
    with studio.person(make_admin(studio)) as page:
        for number in range(3):
            with studio.person(studio.pool.add_person(f"caller{number}@example.com")) as caller:
                caller.goto("/profile/")
                if number == 2:
                    studio.pool.fail("RevokeToken", "TooManyRequestsException")
                caller.goto("/logout/")
                studio.press(caller, "Sign out here")
        page.goto("/console/health/")
        studio.take(page, "console-health-calls")
        with studio.settings(CACHE_URL="rediscache://127.0.0.1:9/0"):
            for name in ("", "health"):
                _open(studio, page, name, f"console-{name or 'overview'}-no-cache")


def _open(studio: Studio, page: Page, name: str, picture: str) -> None:
    page.goto(f"/console/{name}/" if name else "/console/")
    studio.take(page, picture)


def _walk(studio: Studio, page: Page) -> None:
    """Go from the list to one session, one person and one revocation, and end some sessions."""
    page.goto("/console/sessions/?health=refresh_failing&age=-1d")
    studio.take(page, "console-sessions-filtered")
    page.locator("tbody td[data-label=Session] a").first.click()
    studio.press(page, "End this session")
    studio.take(page, "console-session")
    page.goto("/console/sessions/?select=page")
    studio.press(page, "End selected…")
    _send_nothing(page, "Reason")
    studio.take(page, "console-end-sessions-invalid")
    page.get_by_label("Reason").fill("Laptops stolen from the office")
    page.get_by_label("Number of sessions").fill("5")
    studio.press(page, "End 50 sessions")
    studio.take(page, "console-end-sessions")
    page.goto("/console/sessions/")
    page.get_by_role("link", name="Next").click()
    studio.take(page, "console-sessions-next-page")
    page.goto("/console/sessions/end/")
    studio.take(page, "console-end-sessions-none")
    page.goto("/console/events/?kind=refresh_reused")
    page.locator("tbody td[data-label=Person] a").first.click()
    studio.take(page, "console-person")
    _send_nothing(page, "Reason")
    studio.take(page, "console-person-invalid")
    page.goto("/console/revocations/?state=pending")
    studio.take(page, "console-revocations-pending")
    page.locator("tbody th a").first.click()
    studio.take(page, "console-revocation")
    page.get_by_label("Reason").last.fill("The pool has been deleted")
    studio.press(page, "Give up")
    studio.take(page, "console-revocation-given-up")
    page.goto("/console/sessions/")
    page.locator("tbody td[data-label=Session] a").nth(2).click()
    _send_nothing(page, "Reason")
    studio.take(page, "console-session-invalid")
    page.get_by_label("Reason").fill("Asked for by phone")
    studio.press(page, "End this session")
    studio.take(page, "console-session-ended")


def _send_nothing(page: Page, label: str) -> None:
    """Send the form that this field is in as browsers do that do not check what is required."""
    field = page.get_by_label(label).first
    field.evaluate("field => { field.form.noValidate = true; field.form.requestSubmit(); }")
    page.wait_for_selector("[aria-invalid=true]")
