"""The app without a mouse: every stop shows that it has the focus, in the order of the page, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.local.people import Person
from tests.browser.conftest import Site, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.ministack]
Visit = Callable[..., Visitor]
# What the app calls Chromium, with a window and without one.
BROWSER = ("Chrom", "HeadlessChrom")
# What has the focus: its name, how far down the page it stands, and whether one sees it.
STOP = """
() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const name = element.labels?.[0]?.innerText ?? element.innerText ?? "";
  return {
    name: name.trim().replace(/\\s+/g, " "),
    place: Array.from(document.querySelectorAll("*")).indexOf(element),
    isPage: element === document.body,
    isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
      && box.width > 0 && box.top >= 0 && box.bottom <= window.innerHeight + 1,
  };
}
"""
MARK = "() => { window.mark = true; }"
# Replaced in place, the page must say where one is now; loaded anew, it begins at its beginning.
IS_LOST = "() => window.mark === true && document.activeElement === document.body"


def tab_to(page: Page, name: str | tuple[str, ...], key: str = "Tab") -> None:
    """Press Tab until what begins so has the focus; every stop on the way must be in sight and in order."""
    place = None
    for _ in range(80):
        page.keyboard.press(key)
        stop = page.evaluate(STOP)
        if stop["isPage"]:
            place = None  # out at one end of the page, and in again at the other
            continue
        assert stop["isSeen"], f"{stop['name']!r} does not show that it has the focus"
        assert place is None or (stop["place"] > place) == (key == "Tab"), f"{stop['name']!r} is out of order"
        place = stop["place"]
        if stop["name"].startswith(name):
            return
    raise AssertionError(f"{key} does not reach {name!r}")


def enter(page: Page, heading: str) -> None:
    """Press Enter and wait for the page of this heading; the focus must not be lost on the way."""
    page.evaluate(MARK)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert not page.evaluate(IS_LOST)


def sign_in(visitor: Visitor) -> None:
    page, person = visitor.page, visitor.person
    visitor.open("/")
    tab_to(page, "Sign in")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type(person.email)
    page.keyboard.press("Tab")
    page.keyboard.type(person.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text(person.email)


@pytest.mark.parametrize("javascript", [True, False])
def test_an_operators_whole_day_works_by_keyboard(site: Site, visit: Visit, user: Person, javascript: bool) -> None:
    admin = site.pool.add_person("admin", groups=("admins",))
    visit(admin).sign_in()
    visit(admin).sign_in()
    visit(user).sign_in()
    visitor = visit(admin, javascript=javascript)
    page = visitor.page
    sign_in(visitor)

    tab_to(page, "Sessions")
    enter(page, "Your sessions")
    tab_to(page, "Sign out this session")
    enter(page, "Your sessions")
    expect(page.locator("#messages")).to_contain_text("Signed out")
    tab_to(page, "I don't recognise this")
    enter(page, "You don't recognise this session?")
    tab_to(page, "It wasn't me")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("You did not recognise this session.")

    tab_to(page, "Console", "Shift+Tab")
    enter(page, "Overview")
    tab_to(page, "All sessions")
    enter(page, "All sessions")
    tab_to(page, "Search")
    page.keyboard.type(user.email)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    tab_to(page, f"Select {user.email}")
    page.keyboard.press("Space")
    tab_to(page, "End selected", "Shift+Tab")
    enter(page, "End 1 session?")
    tab_to(page, "Reason")
    page.keyboard.type("Asked for by phone")
    tab_to(page, "End 1 session")
    enter(page, "All sessions")
    expect(page.get_by_role("status")).to_contain_text("1 session has ended.")

    tab_to(page, "Sign out")
    enter(page, "Sign out")
    tab_to(page, "Sign out here")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")


@pytest.mark.parametrize("javascript", [True, False])
def test_an_operator_ends_one_session_by_keyboard(site: Site, visit: Visit, user: Person, javascript: bool) -> None:
    visit(user).sign_in()
    visitor = visit(site.pool.add_person("admin", groups=("admins",)), javascript=javascript)
    page = visitor.page
    visitor.sign_in(f"/console/sessions/?q={user.email}")

    tab_to(page, BROWSER)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Session of "))
    tab_to(page, "Reason")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.validity.valueMissing")
    page.keyboard.type("Asked for by phone")
    page.evaluate(MARK)
    tab_to(page, "End this session")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("The session has ended.")
    assert not page.evaluate(IS_LOST)


def test_the_skip_link_leads_past_the_navigation(visit: Visit, user: Person) -> None:
    visitor = visit(user)
    page = visitor.page
    visitor.sign_in("/sessions/")

    page.keyboard.press("Tab")
    assert page.evaluate(STOP)["name"] == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
