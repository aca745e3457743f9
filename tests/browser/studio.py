"""The app in front of a browser, for whoever wants to see every page in every state: a camera, axe, a crawler."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.fake_user_pool import FakeUserPool, Person
from tests.servers import AppServer, SqliteFiles, orm_alias

if TYPE_CHECKING:
    from accounts.models.session import SessionQuerySet

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
IS_SETTLED = "() => document.readyState === 'complete' && !document.querySelector('.htmx-request')"
# Looks at what a page shows; the name says which page in which state it is.
Onlooker = Callable[[Page, str], None]


@dataclass
class Studio:
    """The app, its user pool, and a browser in which somebody looks at pages."""

    pool: FakeUserPool
    server: AppServer
    alias: str
    browser: Browser
    directory: Path
    look: Onlooker

    def take(self, page: Page, name: str) -> None:
        """Show the page to the onlooker, once all of it is there."""
        page.wait_for_function(IS_SETTLED)
        self.look(page, name)

    def press(self, page: Page, name: str) -> None:
        """Press a button, and wait for what it leads to, loaded or put in place."""
        page.get_by_role("button", name=name).first.click()
        page.wait_for_function(IS_SETTLED)

    @contextmanager
    def visitor(
        self, user_agent: str | None = None, locale: str = "en-GB", *, javascript: bool = True
    ) -> Iterator[Page]:
        """Open a browser of its own; nobody is signed in."""
        context: BrowserContext = self.browser.new_context(
            base_url=self.server.url, user_agent=user_agent, locale=locale, java_script_enabled=javascript
        )
        try:
            yield context.new_page()
        finally:
            context.close()

    @contextmanager
    def person(
        self, person: Person, user_agent: str | None = None, locale: str = "en-GB", *, javascript: bool = True
    ) -> Iterator[Page]:
        """Open a browser in which a person has signed in through the hosted UI."""
        with self.visitor(user_agent, locale, javascript=javascript) as page:
            self.sign_in(page, person)
            yield page

    def sign_in(self, page: Page, person: Person, path: str = "/login/") -> None:
        page.goto(path)
        page.get_by_label("Email address").fill(person.email)
        page.get_by_label("Password").fill(person.password)
        page.get_by_role("button", name="Sign in").click()

    def sessions_of(self, person: Person) -> SessionQuerySet:
        """Return the person's sessions, for arranging what a page is to show."""
        from accounts.models import Session

        sessions: SessionQuerySet = Session.objects.using(self.alias).filter(user__subject=person.sub)
        return sessions

    def restart(self, variables: Mapping[str, str] | None = None) -> None:
        """Start the app anew, with other settings if they are given; it remembers nothing."""
        self.server.stop()
        shutil.rmtree(self.directory / "cache", ignore_errors=True)
        if variables is not None:
            self.server.variables = variables
        self.server.start()

    @contextmanager
    def settings(self, **variables: str) -> Iterator[None]:
        """Run the app with other settings inside the block."""
        before = self.server.variables
        self.restart(dict(before) | variables)
        try:
            yield
        finally:
            self.restart(before)

    def templates(self) -> set[str]:
        """Return the project's own templates that pages were made of so far."""
        return set((self.directory / "templates").read_text().split())


@contextmanager
def open_studio(look: Onlooker) -> Iterator[Studio]:
    """Start the app, a user pool and a browser for it."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = SqliteFiles(directory).create()
        pool = stack.enter_context(FakeUserPool())
        own = {
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "DATABASE_URL": url,
            "CACHE_URL": f"filecache://{directory / 'cache'}",
            "TEMPLATES_RECORD": str(directory / "templates"),
        }
        server = AppServer(pool.environment() | own, log=directory / "gunicorn.log", workers=1)
        stack.enter_context(server)
        pool.allow_site(server.url)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        stack.callback(browser.close)
        yield Studio(pool, server, stack.enter_context(orm_alias(url)), browser, directory, look)


def find_chromium() -> str | None:
    """Return the system's Chromium; CHROMIUM names it if it is called otherwise."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
