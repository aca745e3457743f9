"""Pictures of every page in every state, light and dark, on a phone and on a desk, into `screenshots/`.

Run it with `python -m tests.browser.screenshots`, and give parts of names to take only some. It fails if a page is
wider than its window. CHROMIUM names the browser if it is not called chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import django
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.console_scenes import (
    calls_to_cognito,
    cognito_on_a_person,
    console,
    console_for_viewers,
    flagged_sessions,
)
from tests.browser.kept_form_scenes import form_sent_too_late
from tests.fake_user_pool import Failure, FakeUserPool, Person
from tests.fake_user_pool.web import Response, json_response
from tests.servers import AppServer, SqliteFiles, orm_alias

if TYPE_CHECKING:
    from accounts.models.session import Session, SessionQuerySet

TARGET = Path(__file__).resolve().parent.parent.parent / "screenshots"
WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
MACINTOSH = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"  # noqa: E501
# A profile older than this is asked for anew; see accounts/profile.py.
PROFILE_IS_OLD_AFTER = 31


@dataclass
class Studio:
    """The app, its user pool, and a browser with a camera in front of it."""

    pool: FakeUserPool
    server: AppServer
    alias: str
    browser: Browser
    wanted: list[str]
    too_wide: list[str] = field(default_factory=list)

    @contextmanager
    def visitor(self, user_agent: str | None = None) -> Iterator[Page]:
        """Open a browser of its own; nobody is signed in."""
        context: BrowserContext = self.browser.new_context(base_url=self.server.url, user_agent=user_agent)
        try:
            yield context.new_page()
        finally:
            context.close()

    @contextmanager
    def person(self, person: Person, user_agent: str | None = None) -> Iterator[Page]:
        """Open a browser in which a person has signed in through the hosted UI."""
        with self.visitor(user_agent) as page:
            self.sign_in(page, person)
            yield page

    def sign_in(self, page: Page, person: Person) -> None:
        page.goto("/login/")
        page.get_by_label("Email address").fill(person.email)
        page.get_by_label("Password").fill(person.password)
        page.get_by_role("button", name="Sign in").click()

    def sessions_of(self, person: Person) -> SessionQuerySet:
        """Return the person's sessions, for arranging what a page is to show."""
        from accounts.models import Session

        sessions: SessionQuerySet = Session.objects.using(self.alias).filter(user__subject=person.sub)
        return sessions

    def take(self, page: Page, name: str) -> None:
        """Take the picture of what the page shows, in every scheme and width."""
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
                page.screenshot(path=TARGET / f"{name}-{width}-{scheme}.png", full_page=True)
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                self.too_wide.append(f"{name} at {width} px")


Scene = Callable[[Studio], None]


def welcome(studio: Studio) -> None:
    with studio.visitor() as page:
        page.goto("/")
        studio.take(page, "welcome")


def home(studio: Studio) -> None:
    uma = _uma(studio)
    now = timezone.now()
    with studio.person(uma, IPHONE):
        pass
    with studio.person(uma) as page:
        studio.take(page, "home-fresh")
        studio.sessions_of(uma).update(refreshed_at=now - timedelta(minutes=9))
        studio.sessions_of(uma).update(refresh_claimed_until=now + timedelta(minutes=1))
        page.goto("/")
        studio.take(page, "home-refreshing")
        studio.pool.fail("GetTokensFromRefreshToken", Failure.UNAVAILABLE)
        studio.sessions_of(uma).update(refresh_claimed_until=None, refresh_due_at=now, refresh_failures=2)
        page.goto("/")
        studio.take(page, "home-refresh-failing")


def profile(studio: Studio) -> None:
    uma = _uma(studio)
    with studio.person(uma) as page, studio.person(_bare(studio)) as other:
        studio.pool.fail("GetUser", _everything_about(uma))
        page.goto("/profile/")
        studio.pool.recover()
        studio.take(page, "profile")
        read_at = time.monotonic()
        other.goto("/profile/")
        studio.take(other, "profile-bare")

        studio.pool.fail("GetUser", "InvalidParameterException")
        with studio.person(_bare(studio)) as third:
            third.goto("/profile/")
            studio.take(third, "profile-misconfigured")
        studio.pool.recover()
        studio.pool.fail("GetUser", Failure.THROTTLED)
        with studio.person(_bare(studio)) as third:
            third.goto("/profile/")
            studio.take(third, "profile-throttled")
        time.sleep(max(0.0, read_at + PROFILE_IS_OLD_AFTER - time.monotonic()))
        studio.pool.recover()
        studio.pool.fail("GetUser", Failure.CLOSED)
        page.goto("/profile/")
        studio.take(page, "profile-unreachable-last-known")
        with studio.person(_bare(studio)) as third:
            third.goto("/profile/")
            studio.take(third, "profile-unreachable")
        studio.sessions_of(uma).update(scopes="openid email")
        page.goto("/profile/")
        studio.take(page, "profile-missing-scope")


def sessions(studio: Studio) -> None:
    uma = _uma(studio)
    with studio.person(uma, WINDOWS) as page:
        page.goto("/sessions/")
        studio.take(page, "sessions-alone")
        for agent in (MACINTOSH, IPHONE, None, WINDOWS, IPHONE):
            with studio.person(uma, agent):
                pass
        _spread(studio, uma)
        page.reload()
        studio.take(page, "sessions")
        page.get_by_role("button", name="Sign out this session").first.click()
        studio.take(page, "sessions-one-ended")
        studio.pool.fail("RevokeToken", Failure.UNAVAILABLE)
        page.get_by_role("button", name="Sign out all others").click()
        studio.take(page, "sessions-others-pending")


def own_session(studio: Studio) -> None:
    uma = _uma(studio)
    with studio.person(uma, WINDOWS) as page:
        for agent in (MACINTOSH, IPHONE, None):
            with studio.person(uma, agent):
                pass
        _spread(studio, uma)
        this, other, ended, pending = studio.sessions_of(uma).order_by("started_at").reverse()
        _much_has_happened(studio, this)
        page.goto(f"/sessions/{this.public_id}/")
        studio.take(page, "session-this")
        page.get_by_role("link", name="Older").click()
        studio.take(page, "session-this-older")
        page.goto(f"/sessions/{this.public_id}/not-recognised/")
        studio.take(page, "session-this-not-recognised")
        for row, name in ((other, "other"), (pending, "refresh-failing")):
            studio.sessions_of(uma).filter(pk=pending.pk).update(refresh_failures=3)
            page.goto(f"/sessions/{row.public_id}/")
            studio.take(page, f"session-{name}")
        page.goto(f"/sessions/{other.public_id}/tokens/")
        studio.take(page, "session-tokens")
        studio.sessions_of(uma).filter(pk=other.pk).update(token_set_sealed="damaged")
        page.reload()
        studio.take(page, "session-tokens-unreadable")
        _end_and_flag(studio, page, ended.public_id, pending.public_id)


def _end_and_flag(studio: Studio, page: Page, first: UUID, second: UUID) -> None:
    """Sign out one session, and say of another, while Cognito is silent, that it is a stranger's."""
    page.goto(f"/sessions/{first}/")
    page.get_by_role("button", name="Sign out this session").click()
    page.goto(f"/sessions/{first}/")
    studio.take(page, "session-ended-revoked")
    page.goto(f"/sessions/{second}/")
    page.get_by_role("link", name="I don't recognise this").click()
    studio.take(page, "session-not-recognised")
    studio.pool.fail("RevokeToken", Failure.UNAVAILABLE)
    page.get_by_role("button", name="It wasn't me").click()
    studio.take(page, "session-flagged-pending")
    page.goto("/sessions/")
    studio.take(page, "sessions-flagged")
    page.goto("/sessions/ended/")
    studio.take(page, "sessions-ended")


def tokens(studio: Studio) -> None:
    with studio.person(_uma(studio)) as page:
        page.goto("/tokens/")
        studio.take(page, "tokens")
        # A process that starts anew has no keys yet.
        studio.server.stop()
        studio.pool.fail("jwks", Failure.UNAVAILABLE)
        studio.server.start()
        page.goto("/tokens/")
        studio.take(page, "tokens-keys-unreachable")
        studio.server.stop()
        studio.pool.recover()
        studio.pool.rotate_keys(keep_old=False)
        studio.server.start()
        page.goto("/tokens/")
        studio.take(page, "tokens-refused")


def signing_out(studio: Studio) -> None:
    uma = _uma(studio)
    with studio.person(uma) as page, studio.visitor() as stranger:
        page.goto("/signed-out/")
        studio.take(page, "signed-out-but-signed-in")
        page.goto("/logout/")
        studio.take(page, "logout-alone")
        page.get_by_role("button", name="Sign out here").click()
        studio.take(page, "signed-out")
        stranger.goto("/signed-out/")
        studio.take(stranger, "signed-out-neutral")
    with studio.person(uma) as page, studio.person(uma, IPHONE), studio.person(uma, WINDOWS):
        page.goto("/logout/")
        studio.take(page, "logout")
        page.get_by_role("button", name="Sign out everywhere").click()
        studio.take(page, "signed-out-everywhere")
    for button, name in (("Sign out here", "pending"), ("Sign out everywhere", "everywhere-pending")):
        with studio.person(uma) as page:
            page.goto("/logout/")
            studio.pool.fail("*", Failure.UNAVAILABLE, times=1)
            page.get_by_role("button", name=button).click()
            studio.take(page, f"signed-out-{name}")


def session_ended(studio: Studio) -> None:
    uma = _uma(studio)
    past = timezone.now() - timedelta(minutes=1)
    with studio.person(uma) as page:
        studio.sessions_of(uma).update(expire_date=past)
        page.goto("/sessions/")
        studio.take(page, "session-ended-idle")
    with studio.person(uma) as page:
        studio.sessions_of(uma).update(expire_date=past)
        page.goto("/")
        studio.take(page, "welcome-session-ended")
    with studio.person(uma) as page:
        studio.pool.fail("GetUser", "NotAuthorizedException")
        page.goto("/profile/")
        studio.take(page, "session-ended-refused")


def problems(studio: Studio) -> None:
    uma = _uma(studio)
    with studio.visitor() as page:
        page.goto("/login/")
        page.get_by_role("button", name="Cancel").click()
        studio.take(page, "problem-cancelled")
        for failure, name in ((Failure.UNAVAILABLE, "unavailable"), ("invalid_client", "misconfigured")):
            studio.pool.fail("token", failure)
            studio.sign_in(page, uma)
            studio.take(page, f"problem-{name}")
            studio.pool.recover()
            page.context.clear_cookies()
        page.goto("/callback/?code=x&state=somebody-elses")
        page.goto("/callback/?code=x&state=somebody-elses")
        studio.take(page, "problem-expired-link")


def refusals(studio: Studio) -> None:
    with studio.person(_uma(studio)) as page:
        page.goto("about:blank")
        page.set_content(f'<form method="post" action="{studio.server.url}/logout/"><button>Win</button></form>')
        page.get_by_role("button").click()
        studio.take(page, "problem-cross-site")
    studio.server.stop()
    studio.server.variables = {**studio.server.variables, "RATE_LIMIT_FACTOR": "0.00001"}
    studio.server.start()
    with studio.visitor() as page:
        page.goto("/login/?next=/sessions/")
        studio.take(page, "problem-too-many-requests")
    studio.server.stop()
    studio.server.variables = {**studio.server.variables, "RATE_LIMIT_FACTOR": "1"}
    studio.server.start()


def errors(studio: Studio) -> None:
    with studio.person(_uma(studio)) as page:
        page.goto("/there-is-no-such-page/")
        studio.take(page, "error-404")
        page.goto("/logout/")
        page.context.clear_cookies(name="csrf")
        page.get_by_role("button", name="Sign out here").click()
        studio.take(page, "error-403-csrf")
        page.goto(studio.server.url.replace("localhost", "127.0.0.1"))
        studio.take(page, "error-400")
    with studio.person(_uma(studio)) as page, _no_sessions_table(studio):
        page.goto("/")
        studio.take(page, "error-500")


SCENES: tuple[Scene, ...] = (
    *(welcome, home, profile, sessions, own_session, signing_out, session_ended, problems, refusals, errors, tokens),
    *(console, console_for_viewers, flagged_sessions, cognito_on_a_person, calls_to_cognito, form_sent_too_late),
)


def main() -> int:
    """Take the pictures; return 1 if a page was too wide."""
    # Playwright runs an event loop in this thread, and Django would refuse to use the database beside it.
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    django.setup()
    TARGET.mkdir(exist_ok=True)
    with ExitStack() as stack:
        studio = _open(stack, wanted=sys.argv[1:])
        for scene in SCENES:
            if not studio.wanted or any(part in scene.__name__ for part in studio.wanted):
                scene(studio)
                studio.pool.recover()
    for name in studio.too_wide:
        sys.stderr.write(f"Too wide: {name}\n")
    return 1 if studio.too_wide else 0


def _open(stack: ExitStack, wanted: list[str]) -> Studio:
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    url = SqliteFiles(directory).create()
    pool = stack.enter_context(FakeUserPool())
    variables = pool.environment() | {"DATABASE_URL": url}
    server = stack.enter_context(AppServer(variables, log=directory / "gunicorn.log", workers=1))
    pool.allow_site(server.url)
    playwright = stack.enter_context(sync_playwright())
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    stack.callback(browser.close)
    return Studio(pool, server, stack.enter_context(orm_alias(url)), browser, wanted)


def _uma(studio: Studio) -> Person:
    """Add a person of whom everything is known, and who is new to the app."""
    return studio.pool.add_person(
        f"uma.{len(studio.pool.people)}@example.com",
        name="Uma User",
        groups=["editors", "finance-eu"],
        given_name="Uma",
        family_name="User",
        phone_number="+4930123456",
        phone_number_verified="false",
        zoneinfo="Europe/Berlin",
        locale="de-DE",
        updated_at="1763770000",
        **{"custom:cost_centre": "4711", "custom:employee_id": "E-2041"},
    )


def _everything_about(person: Person) -> Response:
    """Return what GetUser answers for somebody with second factors and a linked account; the fake knows neither."""
    identity = {"providerName": "Google", "userId": "109238471092384710923", "primary": "false", "dateCreated": "1"}
    attributes = person.user_attributes | {"identities": json.dumps([identity])}
    return json_response(
        {
            "Username": person.username,
            "UserAttributes": [{"Name": name, "Value": value} for name, value in attributes.items()],
            "UserMFASettingList": ["SMS_MFA", "SOFTWARE_TOKEN_MFA"],
            "PreferredMfaSetting": "SOFTWARE_TOKEN_MFA",
        },
        media_type="application/x-amz-json-1.1",
    )


def _bare(studio: Studio) -> Person:
    """Add a person of whom little is known."""
    return studio.pool.add_person(f"bo.{len(studio.pool.people)}@example.com")


def _spread(studio: Studio, person: Person) -> None:
    """Give a person's other sessions an age, an address and a health each."""
    now = timezone.now()
    changes: list[dict[str, Any]] = [
        {"refresh_due_at": now - timedelta(minutes=2), "ip_address": "203.0.113.24"},
        {"access_expires_at": now - timedelta(minutes=9), "ip_address": "2001:db8:4c1a:9f00:7d2e:13ff:fe40:8b21"},
        {"refresh_failures": 3},
        {"refresh_claimed_until": now + timedelta(seconds=20)},
    ]
    others = studio.sessions_of(person).order_by("started_at")[1:]
    for number, (row, change) in enumerate(zip(others, changes, strict=False), start=1):
        seen = {"started_at": now - timedelta(hours=2 * number), "last_seen_at": now - timedelta(minutes=6 * number)}
        studio.sessions_of(person).filter(pk=row.pk).update(**seen, **change)


def _much_has_happened(studio: Studio, row: Session) -> None:
    """Give a session a long past, with a night in which Cognito was out of reach."""
    from accounts.models import Event

    now = timezone.now()
    about = {"session_id": row.public_id, "user_id": row.user_id}
    Event.objects.using(studio.alias).bulk_create(
        Event(
            at=now - timedelta(minutes=9 * number + 4),
            kind=Event.Kind.REFRESH_FAILED if 3 < number < 8 else Event.Kind.REFRESHED,
            detail="ProviderUnavailableError: no answer in time" if 3 < number < 8 else "",
            **about,
        )
        for number in range(60)
    )
    type(row).objects.using(studio.alias).filter(pk=row.pk).update(probed_at=now - timedelta(seconds=40))


@contextmanager
def _no_sessions_table(studio: Studio) -> Iterator[None]:
    """Take away the table without which no page can be made."""
    from django.db import connections

    with connections[studio.alias].cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_session RENAME TO hidden")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE hidden RENAME TO accounts_session")


if __name__ == "__main__":
    sys.exit(main())
