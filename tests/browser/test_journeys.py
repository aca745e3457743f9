"""What people do, from end to end: Chromium, the app under gunicorn, and a real hosted UI."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from deploy.local.people import Person
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.ministack]
Visit = Callable[..., Visitor]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_person_signs_in_sees_their_profile_and_signs_out(visit: Visit, user: Person, javascript: bool) -> None:
    visitor = visit(user, javascript=javascript)
    page = visitor.page

    visitor.open("/")
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    visitor.fill_in_hosted_ui()
    expect(page.get_by_role("main")).to_contain_text(user.email)

    page.get_by_role("navigation").get_by_role("link", name="Profile").click()
    expect(page).to_have_title(re.compile("profile", re.IGNORECASE))
    expect(page.get_by_role("main")).to_contain_text(user.email)

    page.get_by_role("navigation").get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out here").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    expect(page.get_by_role("main")).to_contain_text("Cognito has been told and has revoked it.")

    visitor.open("/profile/")
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_person_who_asked_for_a_page_arrives_there_after_signing_in(visit: Visit, user: Person) -> None:
    visitor = visit(user)

    visitor.open("/tokens/")
    visitor.fill_in_hosted_ui()

    expect(visitor.page).to_have_url(f"{visitor.site.url}/tokens/")


def test_tokens_are_refreshed_without_the_person_noticing(visit: Visit, user: Person, short_tokens: int) -> None:
    visitor = visit(user)
    visitor.sign_in("/sessions/")
    refreshes = visitor.site.app.output().count(" was refreshed;")

    visitor.page.wait_for_timeout(short_tokens * 1000 + 500)  # the access token has expired by now
    visitor.page.reload()

    expect(visitor.page.get_by_text("This one")).to_be_visible()
    assert visitor.site.app.output().count(" was refreshed;") == refreshes + 1


def test_signing_out_everywhere_ends_the_other_browser_too(visit: Visit, user: Person) -> None:
    laptop, phone = visit(user), visit(user)
    laptop.sign_in()
    phone.sign_in()

    laptop.open("/logout/")
    laptop.page.get_by_role("button", name="Sign out everywhere").click()

    expect(laptop.page.get_by_role("heading", level=1)).to_have_text("You are signed out everywhere")
    expect(laptop.page.get_by_role("main")).to_contain_text("2 sessions of yours")
    phone.open("/sessions/")
    expect(phone.page.get_by_role("main")).to_contain_text("signed out everywhere")
    phone.complaints.clear()  # the browser notes the 401


def test_a_person_ends_the_session_of_another_browser(visit: Visit, user: Person) -> None:
    laptop, phone = visit(user), visit(user)
    phone.sign_in()
    laptop.sign_in("/sessions/")

    laptop.page.get_by_role("button", name="Sign out this session").click()

    expect(laptop.page.get_by_role("status").or_(laptop.page.get_by_role("alert")).first).to_contain_text("Signed out")
    phone.open("/profile/")
    expect(phone.page.get_by_role("main")).to_contain_text("another browser")
    phone.page.get_by_role("main").get_by_role("link", name="Sign in").click()
    phone.fill_in_hosted_ui()
    expect(phone.page).to_have_url(f"{phone.site.url}/profile/")
    phone.complaints.clear()  # the browser notes the 401


def test_a_cancelled_sign_in_says_so_and_offers_another_try(visit: Visit, user: Person) -> None:
    visitor = visit(user)
    visitor.open("/profile/")
    # The local hosted UI has no cancel button: come back as Cognito sends people who cancel at a company's sign-in.
    state = visitor.page.locator("input[name=state]").input_value()

    visitor.open(f"/callback/?{urlencode({'error': 'access_denied', 'state': state})}")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Sign-in was cancelled")
    visitor.page.get_by_role("main").get_by_role("link").first.click()
    visitor.fill_in_hosted_ui()

    expect(visitor.page).to_have_url(f"{visitor.site.url}/profile/")


def test_two_tabs_sign_in_at_the_same_time(visit: Visit, user: Person) -> None:
    visitor = visit(user)
    first, second = visitor.page, visitor.page.context.new_page()
    first.goto(f"{visitor.site.url}/tokens/")
    second.goto(f"{visitor.site.url}/profile/")

    visitor.fill_in_hosted_ui()
    expect(first).to_have_url(f"{visitor.site.url}/tokens/")
    visitor.page = second
    visitor.fill_in_hosted_ui()

    expect(second).to_have_url(f"{visitor.site.url}/profile/")
