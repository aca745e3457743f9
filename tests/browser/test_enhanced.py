"""What pages do in place, where scripts run; each journey is the same without them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from deploy.local.people import Person
from tests.browser.conftest import Site, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.ministack]
Visit = Callable[..., Visitor]

# In a page: whether it was loaded anew since it was marked.
MARK = "() => { window.mark = true; }"
IS_MARKED = "() => window.mark === true"
HIDE = "hidden => Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })"


@pytest.fixture
def admin(site: Site) -> Person:
    return site.pool.add_person("admin", groups=("admins",))


def polls(page: Page) -> list[Request]:
    """Return a list that grows with each request that the page makes by itself."""
    found: list[Request] = []
    page.on("request", lambda request: found.append(request) if "x-background" in request.headers else None)
    return found


@pytest.mark.parametrize("javascript", [True, False])
def test_a_session_ended_from_the_list_is_over_and_the_message_says_so(
    visit: Visit, user: Person, javascript: bool
) -> None:
    phone, laptop = visit(user), visit(user, javascript=javascript)
    phone.sign_in()
    laptop.sign_in("/sessions/")
    page = laptop.page
    page.evaluate(MARK)
    entries = page.evaluate("history.length")

    page.get_by_role("button", name="Sign out this session").click()

    expect(page.locator("#messages")).to_contain_text("Signed out")
    expect(page.get_by_role("button", name="Sign out this session")).to_have_count(0)
    expect(page.get_by_role("table", name="Ended lately")).to_contain_text("Signed out from another browser")
    expect(page).to_have_url(f"{laptop.site.url}/sessions/")
    assert page.evaluate(IS_MARKED) is javascript
    if javascript:
        expect(page.locator("#messages")).to_be_focused()
        assert page.evaluate("history.length") == entries


def test_a_refused_end_is_shown_whole_and_goes_into_no_history(visit: Visit, user: Person) -> None:
    phone, laptop = visit(user), visit(user)
    phone.sign_in()
    laptop.sign_in("/sessions/")
    page = laptop.page
    page.evaluate(MARK)

    page.context.clear_cookies(name="csrf")
    page.get_by_role("button", name="Sign out this session").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("This form could not be accepted")
    expect(page.locator("#main")).to_be_focused()
    expect(page).to_have_url(f"{laptop.site.url}/sessions/")
    assert page.evaluate(IS_MARKED)
    laptop.complaints.clear()  # the browser notes the 403


def test_sessions_are_brought_up_to_date_where_somebody_sees_them(visit: Visit, user: Person) -> None:
    laptop, phone = visit(user), visit(user)
    laptop.page.clock.install()
    laptop.sign_in("/sessions/")
    page = laptop.page
    page.get_by_role("link", name="Sign out of this browser").focus()
    asked = polls(page)

    phone.sign_in()
    page.clock.run_for(30_000)
    expect(page.get_by_role("button", name="Sign out this session")).to_be_visible()
    expect(page.locator("#sessions")).to_be_focused()  # the link is gone: there are other sessions now
    page.evaluate(HIDE, True)
    page.clock.run_for(300_000)
    assert len(asked) == 1

    with page.expect_response("**/sessions/"):
        page.evaluate(HIDE, False)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert len(asked) == 2


def test_a_list_that_cannot_be_brought_up_to_date_says_since_when_and_stops(visit: Visit, user: Person) -> None:
    visitor = visit(user)
    visitor.page.clock.install()
    visitor.sign_in("/sessions/")
    page = visitor.page
    asked = polls(page)
    stale = page.locator("[data-stale]")
    expect(stale).to_be_hidden()

    page.route("**/sessions/", lambda route: route.abort())
    page.clock.run_for(30_000)
    expect(stale).to_contain_text("Not updated since")
    page.unroute_all()
    page.clock.run_for(30_000)
    expect(stale).to_be_hidden()

    page.route("**/sessions/", lambda route: route.fulfill(status=503, body="nothing to show"))
    for _ in range(10):
        page.clock.run_for(30_000)
        page.wait_for_timeout(50)
    expect(stale).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your sessions")
    assert len(asked) == 5
    visitor.complaints.clear()  # the browser notes each failure


@pytest.mark.parametrize("by_themselves", [True, False])
def test_the_end_of_ones_session_takes_the_whole_page(visit: Visit, user: Person, by_themselves: bool) -> None:
    visitor = visit(user)
    visitor.page.clock.install()
    visitor.sign_in("/sessions/")
    page = visitor.page

    if by_themselves:
        other = page.context.new_page()
        other.goto(f"{visitor.site.url}/logout/")
        other.get_by_role("button", name="Sign out here").click()
        expect(other.get_by_role("heading", level=1)).to_have_text("You are signed out")
    else:
        phone = visit(user)
        phone.sign_in("/sessions/")
        phone.page.get_by_role("button", name="Sign out this session").click()
        expect(phone.page.locator("#messages")).to_contain_text("Signed out")
    page.clock.run_for(30_000)

    expect(page.get_by_role("heading", level=1)).to_have_text("Your session has ended")
    expect(page.get_by_role("main")).not_to_contain_text("Signed in now")
    page.get_by_role("link", name="Sign in again").click()
    visitor.fill_in_hosted_ui()
    expect(page).to_have_url(f"{visitor.site.url}/sessions/")
    visitor.complaints.clear()  # the browser notes the 401


def test_times_of_what_was_updated_in_place_go_on(visit: Visit, user: Person) -> None:
    visitor = visit(user)
    visitor.page.clock.install()
    visitor.sign_in("/sessions/")
    page = visitor.page
    signed_in = page.locator("td[data-label='Signed in'] time[data-time=relative]")
    title = signed_in.get_attribute("title")

    with page.expect_response("**/sessions/"):
        page.clock.run_for(30_000)
    expect(page.locator("#sessions [data-localised]").first).to_be_attached()
    page.clock.run_for(3_000)

    assert signed_in.get_attribute("title") == title
    expect(signed_in).to_have_text(re.compile(r"^3\d seconds ago$"))


def test_going_back_after_signing_out_shows_nothing_private(visit: Visit, user: Person) -> None:
    phone, laptop = visit(user), visit(user)
    phone.sign_in()
    laptop.sign_in("/sessions/")
    page = laptop.page
    page.get_by_role("button", name="Sign out this session").click()
    expect(page.locator("#messages")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out here").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")

    page.go_back()
    page.go_back()

    expect(page.get_by_label("Password")).to_be_visible()
