"""Times as the server writes them and as the script does: in the page's language and the reader's zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).resolve().parent.parent.parent / "static" / "js" / "times.js"
ADDRESS = "http://localhost/"
NOW = datetime(2026, 11, 22, 13, 32, 5, tzinfo=UTC)
DISTANCES = [0, 1, -1, 12, -59, 60, -90, 150, -7169, 7170, -7200, 171_000, 86400, -172800, 30 * 86400, -400 * 86400]
PAGE = Template(
    """{% load times %}<!doctype html><html lang="{{ language }}"><meta charset="utf-8">
    <meta name="server-time" content="{{ now|date:'c' }}">
    {% for at in moments %}
      <p class="relative">{% relative_time at %}</p><p class="clock">{% clock_time at %}</p>
    {% endfor %}
    <script type="module" src="/times.js"></script></html>"""
)


@dataclass
class Times:
    """What an element of the page says, and its title."""

    text: str
    title: str


Show = Callable[..., list[Times]]


@pytest.fixture
def show(chromium: Chromium) -> Iterator[Show]:
    """Open a page of moments in a reader's zone, with the script or without it."""
    contexts = []

    def show(*moments: datetime, language: str, zone: str = "UTC", javascript: bool = True, kind: str) -> list[Times]:
        with translation.override(language):
            html = PAGE.render(Context({"now": NOW, "moments": moments, "language": language}))
        # The browser's own language is another one: what counts is the page's.
        context = chromium.new_context(timezone_id=zone, locale="fr-FR", java_script_enabled=javascript)
        contexts.append(context)
        context.route("**/*", lambda route: _answer(route, html))
        page = context.new_page()
        page.clock.set_fixed_time(NOW)
        page.goto(ADDRESS)
        return _times_of(page, kind)

    yield show

    for context in contexts:
        context.close()


def _answer(route: Route, html: str) -> None:
    if route.request.url.endswith("times.js"):
        route.fulfill(body=SCRIPT.read_text(), content_type="text/javascript")
    else:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")


def _times_of(page: Page, kind: str) -> list[Times]:
    found = page.locator(f".{kind} time").all()
    return [Times(each.inner_text(), each.get_attribute("title") or "") for each in found]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", ["relative", "clock"])
def test_server_and_script_say_the_same(show: Show, language: str, kind: str) -> None:
    moments = [NOW + timedelta(seconds=seconds) for seconds in DISTANCES]

    server = show(*moments, language=language, javascript=False, kind=kind)
    script = show(*moments, language=language, kind=kind)

    assert [each.text for each in script] == [each.text for each in server]
    assert [each.title for each in script] == [f"{each.title} ({each.title})" for each in server]


@pytest.mark.parametrize(
    ("language", "zone", "days", "text", "title"),
    [
        ("de", "Europe/Berlin", 0, "14:32 MEZ", "22. Nov. 2026, 14:32:05 MEZ (22. Nov. 2026, 13:32:05 UTC)"),
        (
            "de",
            "Europe/Berlin",
            9,
            "1. Dez. 2026, 14:32 MEZ",
            "1. Dez. 2026, 14:32:05 MEZ (1. Dez. 2026, 13:32:05 UTC)",
        ),
        ("en", "America/New_York", 0, "08:32 GMT-5", "22 Nov 2026, 08:32:05 GMT-5 (22 Nov 2026, 13:32:05 UTC)"),
        (
            "en",
            "America/New_York",
            9,
            "1 Dec 2026, 08:32 GMT-5",
            "1 Dec 2026, 08:32:05 GMT-5 (1 Dec 2026, 13:32:05 UTC)",
        ),
    ],
)
def test_a_clock_time_is_in_the_readers_zone_with_utc_in_the_title(
    show: Show, language: str, zone: str, days: int, text: str, title: str
) -> None:
    [shown] = show(NOW + timedelta(days=days), language=language, zone=zone, kind="clock")

    assert shown == Times(text, title)


@pytest.mark.parametrize(
    ("language", "words"),
    [("de", ["vor 3 Minuten", "in 2 Stunden", "jetzt"]), ("en", ["3 minutes ago", "in 2 hours", "now"])],
)
def test_a_relative_time_speaks_the_language_of_the_page(show: Show, language: str, words: list[str]) -> None:
    moments = [NOW - timedelta(minutes=3), NOW + timedelta(hours=2), NOW]

    shown = show(*moments, language=language, zone="Asia/Tokyo", kind="relative")

    assert [each.text for each in shown] == words
