"""What only a browser can show: no page breaks its own policy, none is framed, none comes back after signing out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Request
from pytest_django import DjangoDbBlocker

from tests.browser.scenes import OPERATORS, OWN, Scene, show
from tests.browser.studio import Studio, open_studio

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REPORT = "document.addEventListener('securitypolicyviolation', e => console.error(`CSP ${e.violatedDirective}`))"
ELSEWHERE = "https://elsewhere.example"
# A page of an error, for its status alone; and what other platforms have that the policy switches off.
EXPECTED = ("Failed to load resource", "Error with Permissions-Policy header: Unrecognized feature")


class Listening:
    """Chromium, and what its pages complain about or ask of strangers."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium
        self.friends: tuple[str, ...] = ()
        self.complaints: set[str] = set()

    def new_context(self, **options: Any) -> BrowserContext:
        context = self._chromium.new_context(**options)
        context.add_init_script(REPORT)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.add(str(error.error)))
        context.on("request", self._see)
        return context

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(EXPECTED):
            self.complaints.add(message.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith(self.friends):
            self.complaints.add(f"asked {request.url}")


@pytest.fixture
def studio(django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """The app in front of a browser that listens; what it may ask is the app, by any name, and the hosted UI."""
    # Playwright runs an event loop in this thread, and Django would refuse to use the database beside it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with django_db_blocker.unblock(), open_studio(lambda page, name: None) as studio:
        listening: Any = Listening(studio.browser)
        here = (studio.server.url, studio.server.url.replace("localhost", "127.0.0.1"))
        listening.friends = (*(f"{each}/" for each in (*here, studio.pool.base_url)), "about:", ELSEWHERE)
        studio.browser = listening
        yield studio


def complaints(studio: Studio) -> set[str]:
    heard: Any = studio.browser
    found: set[str] = heard.complaints
    return found


@pytest.mark.parametrize("scenes", [OWN, OPERATORS], ids=["own", "operators"])
def test_no_page_breaks_its_policy_or_asks_strangers(studio: Studio, scenes: Sequence[Scene]) -> None:
    show(studio, scenes)

    assert complaints(studio) == set()


def test_a_page_that_breaks_the_policy_or_asks_a_stranger_is_noticed(studio: Studio) -> None:
    page = "<script>1</script><p style='color: red'><img src=https://stranger.example/a.png><script>fail(</script>"
    unguarded = "<img src=https://stranger.example/b.png><script>fail()</script>"
    with studio.visitor() as tab:
        policy = tab.request.get("/").headers["content-security-policy"]
        headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
        tab.route("**/planted/", lambda route: route.fulfill(body=page, headers=headers))
        tab.route("**/open/", lambda route: route.fulfill(body=unguarded, content_type="text/html"))
        tab.route("https://stranger.example/**", lambda route: route.fulfill(body=""))
        for path in ("/planted/", "/open/"):
            tab.goto(path)
        tab.wait_for_timeout(200)

    found = " ".join(complaints(studio))
    for directive in ("script-src", "style-src", "img-src"):
        assert f"CSP {directive}" in found
    assert "asked https://stranger.example/b.png" in found
    assert "fail is not defined" in found


def test_no_page_is_shown_in_a_frame_of_another_site(studio: Studio) -> None:
    uma = studio.pool.add_person("uma@example.com", name="Uma User")
    with studio.person(uma) as page:
        frames = "".join(f"<iframe src={studio.server.url}{path}></iframe>" for path in ("/", "/logout/", "/callback/"))
        page.route(f"{ELSEWHERE}/", lambda route: route.fulfill(body=frames, content_type="text/html"))
        page.goto(f"{ELSEWHERE}/")
        page.wait_for_load_state("networkidle")

        framed = [frame for frame in page.frames if frame is not page.main_frame]

        assert len(framed) == 3
        assert not [frame.url for frame in framed if frame.url.startswith(studio.server.url)]


def test_the_back_button_shows_nothing_after_signing_out(studio: Studio) -> None:
    uma = studio.pool.add_person("uma@example.com", name="Uma User")
    with studio.person(uma) as page:
        for path in ("/profile/", "/sessions/", "/tokens/", "/logout/"):
            page.goto(path)
        page.get_by_role("button", name="Sign out here").click()
        page.wait_for_url("**/signed-out/")

        for _ in range(4):
            page.go_back()
            page.wait_for_load_state()

            assert uma.email not in page.content()
            assert uma.sub not in page.content()
