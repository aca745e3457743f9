"""Every page in German: no English is left over, whatever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from pytest_django import Settings

from accounts import problems
from accounts.models import EndReason, TokenHealth
from accounts.problems import Problem
from dashboard.console.measures import in_words
from tests.conftest import Browser
from tests.dashboard.console.test_access import ACTIONS, PAGES
from tests.dashboard.test_every_pages_rules import SIGNED_IN, SIGNED_OUT

# Codes and commands, and what somebody has typed, are in no language.
NOT_OURS = re.compile(r"<code[^>]*>.*?</code>|<li class=\"typed\">.*?</li>|<script.*?</script>", re.DOTALL)
READ_OUT = re.compile(r'\s(?:alt|aria-label|aria-description|data-label|data-then|placeholder|title)="([^"]*)"')
TAG = re.compile(r"<[^>]+>")
# Words that most English sentences have one of, and no German one.
ENGLISH = re.compile(
    r"\b(?:the|and|of|is|are|its?|this|that|for|from|to|by|with|not?|has|have|been|you|your|who|when|ago|sessions?|signed)\b",
    re.IGNORECASE,
)
PROBLEMS = [each for each in vars(problems).values() if isinstance(each, Problem)]


def english_of(html: str) -> list[str]:
    """Return the English words of a page with some of what is around them."""
    html = NOT_OURS.sub(" ", html)
    text = " ".join(unescape(" ".join([TAG.sub(" ", html), *READ_OUT.findall(html)])).split())
    return [text[max(0, match.start() - 40) : match.end() + 40] for match in ENGLISH.finditer(text)]


def german(browser: Browser) -> Browser:
    """Have the browser ask for German pages."""
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    return browser


def check(response: Any) -> None:
    page = response.content.decode()

    assert '<html lang="de">' in page
    assert english_of(page) == []


@pytest.mark.parametrize("path", SIGNED_IN)
def test_a_page_for_who_is_signed_in(user: Browser, ids: dict[str, UUID], path: str) -> None:
    check(german(user).get(path.format(**ids)))


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_a_page_for_who_is_not(visitor: Browser, path: str) -> None:
    check(german(visitor).get(path))


@pytest.mark.parametrize("name", [name for name in PAGES if not name.endswith(("_csv", "_jsonl"))])
def test_a_page_of_the_console(admin: Browser, address: Callable[[str], str], name: str) -> None:
    check(german(admin).get(address(name)))


@pytest.mark.parametrize("name", [name for name in ACTIONS if name != "console_end_sessions"])
def test_a_form_of_the_console_without_a_reason(admin: Browser, address: Callable[[str], str], name: str) -> None:
    check(german(admin).post(address(name)))


def test_a_page_that_is_refused(outsider: Browser) -> None:
    check(german(outsider).get("/console/"))


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_an_error_page(template: str) -> None:
    with translation.override("de"):
        page = render_to_string(template)

    assert english_of(page) == []


@pytest.mark.parametrize("problem", PROBLEMS, ids=[problem.name for problem in PROBLEMS])
def test_the_page_of_a_problem(problem: Problem) -> None:
    with translation.override("de"):
        page = render_to_string("accounts/problem.html", {"problem": problem, "retry_after": 5})

    assert english_of(page) == []


@pytest.mark.parametrize("reason", EndReason.values)
def test_why_a_session_ended(reason: str) -> None:
    with translation.override("de"):
        page = render_to_string("accounts/_why_ended.html", {"reason": reason}) + str(EndReason(reason).label)

    assert english_of(page) == []


@pytest.mark.parametrize("health", list(TokenHealth))
def test_what_the_tokens_are_doing(health: TokenHealth) -> None:
    with translation.override("de"):
        page = "".join(
            render_to_string(f"dashboard/{name}.html", {"health": health}) for name in ("_health", "_health_explained")
        )

    assert english_of(page) == []


@pytest.mark.parametrize(("seconds", "words"), [(0.3, "300 ms"), (1.5, "1,5 s"), (2.0, "2 s"), (9.0, "über 5 s")])
def test_seconds_have_a_comma(seconds: float, words: str) -> None:
    with translation.override("de"):
        assert in_words(seconds) == words


def test_thousands_have_a_point(admin: Browser, settings: Settings) -> None:
    settings.SESSION_IDLE_SECONDS = 1800

    assert "<strong>1.800</strong>" in german(admin).get("/console/health/").content.decode()


def test_hours_are_written_as_germans_write_them(admin: Browser) -> None:
    page = german(admin).get("/console/").content.decode()

    assert re.search(r"<th scope=\"row\">\d{1,2}\. [A-Z][a-zä]+\.?, \d\d:00</th>", page)


def test_english_is_seen() -> None:
    assert english_of('<p title="Der Rest">Hier <code>the code</code></p>') == []
    assert english_of('<p title="of them all">Hier</p>') == ["Hier of them all"]
