"""What pages do in place, where scripts run; each journey is the same without them."""

from __future__ import annotations

import contextlib
import re
import sqlite3
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


def test_tokens_are_refreshed_before_the_eyes_of_who_looks_at_them(
    visit: Visit, user: Person, short_tokens: int
) -> None:
    visitor = visit(user)
    visitor.page.clock.install()
    visitor.sign_in("/tokens/")
    page = visitor.page
    refreshed = page.locator("dt", has_text="Tokens refreshed").locator("xpath=../dd")
    expect(refreshed).to_have_text("Not since the sign-in")

    page.wait_for_timeout(short_tokens * 1000)
    page.clock.run_for(15_000)

    expect(refreshed).to_contain_text("ago")
    expect(page.get_by_text("Every check holds")).to_have_count(2)


def test_no_page_left_open_calls_a_token_good_that_has_expired(visit: Visit, user: Person) -> None:
    visitor = visit(user)
    page = visitor.page
    page.clock.install()
    visitor.sign_in("/tokens/")
    expect(page.get_by_text("Every check holds").filter(visible=True)).to_have_count(2)

    page.route("**/tokens/", lambda route: route.abort())
    page.clock.fast_forward("01:01:00")
    expect(page.get_by_text("Expired", exact=True).filter(visible=True)).to_have_count(2)
    expect(page.get_by_text("Not expired").filter(visible=True)).to_have_count(0)
    expect(page.get_by_text("Every check holds").filter(visible=True)).to_have_count(0)
    expect(page.get_by_text("A check fails").filter(visible=True)).to_have_count(2)
    visitor.open("/")
    expect(page.get_by_text("Fresh", exact=True)).to_be_visible()
    page.clock.fast_forward("01:01:00")
    expect(page.get_by_text("Fresh", exact=True)).to_be_hidden()
    expect(page.get_by_text("Asleep", exact=True)).to_be_visible()
    visitor.complaints.clear()  # the browser notes each failure


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


# --- The console


@pytest.fixture
def operator(visit: Visit, admin: Person) -> Visitor:
    """An operator in front of the console's sessions, two of them theirs."""
    visit(admin).sign_in()
    operator = visit(admin)
    operator.sign_in("/console/sessions/")
    operator.page.evaluate(MARK)
    return operator


def test_a_list_follows_what_is_typed_and_leaves_the_field_alone(operator: Visitor) -> None:
    page, search = operator.page, operator.page.get_by_label("Search")
    entries = page.evaluate("history.length")
    mine, nobody = operator.person.email, "nobody@example.com"

    search.click()
    page.keyboard.type(mine)
    expect(page.locator("#announcement")).to_have_text("2 entries are shown.")
    expect(page.get_by_role("list", name="Active filters")).to_contain_text(mine)
    expect(search).to_be_focused()
    assert f"q={mine.replace('@', '%40')}" in page.url
    assert page.evaluate("history.length") == entries

    search.fill(nobody)
    expect(page.locator("#results")).to_contain_text("No live session fits.")
    expect(page.locator("#announcement")).to_have_text("0 entries are shown.")
    expect(search).to_have_value(nobody)
    expect(search).to_be_focused()
    assert page.evaluate(IS_MARKED)


def test_choosing_a_filter_brings_the_whole_page_up_to_date_and_back_goes_back(operator: Visitor) -> None:
    page = operator.page
    health = page.get_by_label("Tokens")

    health.focus()
    health.select_option("refresh_failing")
    expect(page).to_have_url(re.compile("health=refresh_failing"))
    expect(page.get_by_role("list", name="Active filters")).to_contain_text("Refresh failing")
    expect(health).to_be_focused()
    page.get_by_label("State").select_option("flagged")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions not recognised")
    assert page.evaluate(IS_MARKED)

    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("All sessions")
    expect(page).to_have_url(re.compile("health=refresh_failing"))
    expect(health).to_have_value("refresh_failing")
    page.go_back()
    expect(page).to_have_url(f"{operator.site.url}/console/sessions/")
    expect(page.get_by_role("list", name="Active filters")).to_have_count(0)


def test_who_removes_a_filter_is_at_the_next_one_and_then_at_the_list(operator: Visitor) -> None:
    page = operator.page
    operator.open(f"/console/sessions/?q={operator.person.email}&health=fresh")
    page.evaluate(MARK)
    chips = page.get_by_role("list", name="Active filters").get_by_role("link", name="Remove this filter")

    chips.first.focus()
    page.keyboard.press("Enter")
    expect(chips).to_have_count(1)
    expect(chips.first).to_be_focused()
    expect(page.get_by_label("Search")).to_have_value("")
    expect(page).to_have_url(f"{operator.site.url}/console/sessions/?health=fresh")
    page.keyboard.press("Enter")

    expect(chips).to_have_count(0)
    expect(page.get_by_role("heading", name="Signed in now")).to_be_focused()
    expect(page.get_by_label("Tokens")).to_have_value("")
    assert page.evaluate(IS_MARKED)


def test_a_ticked_session_is_never_another_one_after_an_update(operator: Visitor) -> None:
    page = operator.page
    page.get_by_role("checkbox").first.check()

    page.get_by_label("Search").fill(operator.person.email)

    expect(page.locator("#announcement")).to_have_text("2 entries are shown.")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    page.get_by_role("link", name="Select this page").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    expect(page.get_by_role("link", name="Select none")).to_be_focused()


def test_the_next_page_begins_at_the_top_of_the_list(site: Site, visit: Visit, admin: Person) -> None:
    visitor = visit(admin)
    visitor.sign_in("/console/events/")
    repeat_events(site, 60)
    visitor.open("/console/events/")
    page = visitor.page
    page.evaluate(MARK)

    page.get_by_role("link", name="Next page").click()

    expect(page.get_by_role("link", name="First page")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?after="))
    expect(page.get_by_role("heading", name="Audit trail")).to_be_focused()
    expect(page.get_by_role("heading", name="Audit trail")).to_be_in_viewport()
    assert page.evaluate(IS_MARKED)


def test_a_session_ended_by_an_operator_shows_its_end_in_place(visit: Visit, user: Person, admin: Person) -> None:
    victim, operator = visit(user), visit(admin)
    victim.sign_in()
    operator.sign_in(f"/console/sessions/?q={user.email}")
    page = operator.page
    page.locator("td[data-label=Session] a").click()
    page.get_by_label("Reason").fill(" ")
    page.evaluate(MARK)
    address = page.url

    page.get_by_role("button", name="End this session").click()
    expect(page.get_by_label("Reason")).to_be_focused()
    expect(page.get_by_role("main")).to_contain_text("This field is required.")
    page.get_by_label("Reason").fill("A lost phone")
    page.get_by_role("button", name="End this session").click()

    expect(page.locator("#messages")).to_contain_text("The session has ended.")
    expect(page.locator("#messages")).to_be_focused()
    expect(page.get_by_role("main")).to_contain_text("A lost phone")
    expect(page).to_have_url(address)
    assert page.evaluate(IS_MARKED)
    operator.complaints.clear()  # the browser notes the 422


def test_the_overview_is_brought_up_to_date_and_what_is_open_stays_open(
    visit: Visit, user: Person, admin: Person
) -> None:
    operator, somebody = visit(admin), visit(user)
    operator.page.clock.install()
    operator.sign_in("/console/")
    page = operator.page
    fresh = page.get_by_role("listitem").filter(has=page.get_by_text("Fresh", exact=True)).locator("strong")
    before = int(fresh.inner_text())
    summary = page.locator("summary")
    summary.click()

    somebody.sign_in()
    page.clock.run_for(15_000)

    expect(fresh).to_have_text(str(before + 1))
    expect(page.locator("details")).to_have_attribute("open", "")
    expect(summary).to_be_focused()
    expect(page.locator("#announcement")).to_have_text("")


@pytest.mark.parametrize("path", ["/console/revocations/", "/console/revocations/?state=pending"])
def test_the_revocations_are_brought_up_to_date_as_they_are_filtered(visit: Visit, admin: Person, path: str) -> None:
    visitor = visit(admin)
    visitor.page.clock.install()
    visitor.sign_in("/console/")
    visitor.open(path)
    asked = polls(visitor.page)

    with visitor.page.expect_response("**/revocations/*"):
        visitor.page.clock.run_for(15_000)

    assert [request.url for request in asked] == [f"{visitor.site.url}{path}"]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_filter_is_chosen_and_removed_with_and_without_scripts(visit: Visit, admin: Person, javascript: bool) -> None:
    visitor = visit(admin, javascript=javascript)
    visitor.sign_in("/console/sessions/")
    page = visitor.page

    page.get_by_label("Search").fill(admin.email)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("list", name="Active filters")).to_contain_text(admin.email)
    expect(page).to_have_url(re.compile(r"/console/sessions/\?q=admin"))
    expect(page.get_by_role("table", name="Signed in now").get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Remove all").click()

    expect(page.get_by_role("list", name="Active filters")).to_have_count(0)
    expect(page).to_have_url(f"{visitor.site.url}/console/sessions/")


def repeat_events(site: Site, times: int) -> None:
    """Write the newest line of the audit trail as often again."""
    with contextlib.closing(sqlite3.connect(site.app.variables["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(accounts_event)") if row[1] != "id"]
        names = ", ".join(columns)
        newest = database.execute(f"SELECT {names} FROM accounts_event ORDER BY id DESC LIMIT 1").fetchone()  # noqa: S608
        places = ", ".join("?" for _ in columns)
        database.executemany(f"INSERT INTO accounts_event ({names}) VALUES ({places})", [newest] * times)  # noqa: S608
        database.commit()
