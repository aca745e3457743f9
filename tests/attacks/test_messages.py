"""A message that a sibling site plants: signed by this one, but said to somebody else."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

pytestmark = pytest.mark.django_db


def said_to(browser: Browser) -> str:
    """Have the site say something, and return its cookie unread."""
    browser.post("/sessions/revoke-others/", secure=True)
    return next(cookie.value for name, cookie in browser.cookies.items() if "messages" in name)


def signed_in(pool: FakeUserPool, address: str) -> Browser:
    browser = Browser(pool, pool.add_person(address))
    browser.get(pool.authorize(browser.get("/login/", secure=True)["Location"], browser.person), secure=True)
    return browser


def test_a_message_that_a_sibling_plants_is_not_shown_on_an_https_site(pool: FakeUserPool, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    planted = said_to(signed_in(pool, "mallory@example.com"))
    victim = signed_in(pool, "victim@example.com")
    victim.cookies["messages"] = planted

    page = victim.get("/sessions/", secure=True)

    assert 'role="status"' not in page.content.decode()


def test_a_message_is_shown_to_whom_it_was_said_and_once(pool: FakeUserPool, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    browser = signed_in(pool, "mallory@example.com")
    said_to(browser)

    first, second = browser.get("/sessions/", secure=True), browser.get("/sessions/", secure=True)

    assert 'role="status"' in first.content.decode()
    assert 'role="status"' not in second.content.decode()
    assert {name for name in first.cookies if "messages" in name} == {"__Host-messages"}


def test_a_message_said_before_the_secret_key_was_replaced_is_shown(pool: FakeUserPool, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    browser = signed_in(pool, "mallory@example.com")
    said_to(browser)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the next one " * 5

    page = browser.get("/sessions/", secure=True)

    assert 'role="status"' in page.content.decode()
