"""A real browser, the app under gunicorn, and the local user pool's hosted UI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from deploy.local.people import Person
from tests.ministack import LocalUserPool, free_port
from tests.servers import AppServer, SqliteFiles

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=10_000)
STORED = "() => localStorage.length + sessionStorage.length"


@dataclass
class Site:
    """The running app, and its user pool."""

    app: AppServer
    pool: LocalUserPool

    @property
    def url(self) -> str:
        return self.app.url


@dataclass
class Visitor:
    """A person in front of a browser of their own; what the browser complains about is kept."""

    site: Site
    person: Person
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site.url}{path}")

    def sign_in(self, path: str = "/") -> None:
        """Open a page that needs a login and go through the hosted UI."""
        self.open(f"/login/?next={path}")
        self.fill_in_hosted_ui()
        self.page.wait_for_url(f"{self.site.url}{path}")

    def fill_in_hosted_ui(self) -> None:
        self.page.get_by_label("Username").fill(self.person.email)
        self.page.get_by_label("Password").fill(self.person.password)
        self.page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    port = free_port()
    with LocalUserPool(site_url=f"http://localhost:{port}") as pool:
        variables = {**pool.settings, "DATABASE_URL": SqliteFiles(directory).create()}
        app = AppServer(variables, log=directory / "app.log", workers=2)
        app.port = port
        with app:
            yield Site(app, pool)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Chromium, closed again after each module: while Playwright's loop runs, Django lets nobody near the database."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not executable:
        pytest.skip("no Chromium found: install one, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(site: Site, chromium: Chromium) -> Iterator[Callable[..., Visitor]]:
    """Open a browser for a person; at the end no browser may have complained about any page of ours.

    Nor may a page have asked anybody else for anything, or have stored anything.
    """
    opened: list[tuple[BrowserContext, Visitor]] = []

    def visit(person: Person, *, javascript: bool = True) -> Visitor:
        context = chromium.new_context(java_script_enabled=javascript)
        visitor = Visitor(site, person, context.new_page())

        def note(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and message.location.get("url", "").startswith(site.url):
                visitor.complaints.append(message.text)

        def note_strangers(request: Request) -> None:
            is_ours = visitor.page.url.startswith(site.url) and not request.is_navigation_request()
            if is_ours and not request.url.startswith(site.url):
                visitor.complaints.append(f"asked {request.url}")

        visitor.page.on("console", note)
        visitor.page.on("request", note_strangers)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        opened.append((context, visitor))
        return visitor

    yield visit

    for context, visitor in opened:
        if visitor.page.url.startswith(site.url) and visitor.page.evaluate(STORED):
            visitor.complaints.append("the page stored something")
        context.close()
        assert visitor.complaints == []


@pytest.fixture
def user(site: Site) -> Person:
    return site.pool.add_person("user")


@pytest.fixture
def short_tokens(site: Site) -> Iterator[int]:
    """Access and ID tokens that live for so many seconds."""
    seconds = 8
    keys = {"UserPoolId": site.pool.user_pool_id, "ClientId": site.pool.client_id}
    client = site.pool.api.describe_user_pool_client(**keys)["UserPoolClient"]
    left_out = {"ClientSecret", "CreationDate", "LastModifiedDate"}
    # The emulator describes lifetimes as text.
    as_it_was = {
        name: int(str(value)) if name.endswith("TokenValidity") else value
        for name, value in client.items()
        if name not in left_out
    }
    short = {
        "AccessTokenValidity": seconds,
        "IdTokenValidity": seconds,
        "TokenValidityUnits": {**client["TokenValidityUnits"], "AccessToken": "seconds", "IdToken": "seconds"},
    }
    # UpdateUserPoolClient resets whatever it is not given.
    site.pool.api.update_user_pool_client(**{**as_it_was, **short})  # type: ignore[arg-type]
    yield seconds
    site.pool.api.update_user_pool_client(**as_it_was)  # type: ignore[arg-type]


@pytest.fixture
def log(site: Site) -> Path:
    return site.app.log
