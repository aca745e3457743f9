"""A form that is sent after its session's end, in a real browser: kept, offered once more, and sent."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from deploy.local.people import Person
from tests.browser.conftest import Site, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.ministack]
Visit = Callable[..., Visitor]
REASON = 'Lost on the train <b>"8:14"</b> & never found'


@pytest.fixture
def admin(site: Site) -> Person:
    return site.pool.add_person("admin", groups=("admins",))


def fill_in_and_lose_the_session(laptop: Visitor, phone: Visitor) -> None:
    """Fill in a reason on the laptop, end the laptop's session on the phone, and send the reason."""
    laptop.sign_in("/console/sessions/")
    row = laptop.page.get_by_role("row").filter(has_text="user-").first
    row.locator("td[data-label=Session] a").click()
    laptop.page.get_by_label("Reason").fill(REASON)

    phone.sign_in("/sessions/")
    phone.page.get_by_role("button", name="Sign out this session").click()
    expect(phone.page.get_by_role("status")).to_contain_text("Signed out")

    laptop.page.get_by_role("button", name="End this session").click()


@pytest.mark.parametrize("javascript", [True, False])
def test_what_an_operator_typed_survives_the_end_of_their_session(
    visit: Visit, user: Person, admin: Person, javascript: bool
) -> None:
    victim, phone = visit(user), visit(admin)
    laptop = visit(admin, javascript=javascript)
    page = laptop.page
    victim.sign_in()

    fill_in_and_lose_the_session(laptop, phone)
    expect(page.get_by_role("main")).to_contain_text("What you filled in is kept for you.")
    page.get_by_role("link", name="Sign in again").click()
    laptop.fill_in_hosted_ui()
    expect(page).to_have_url(re.compile("/kept-form/"))
    offer = page.url
    expect(page.get_by_role("main")).to_contain_text(REASON)
    page.reload()
    page.get_by_role("button", name="Send it now").click()

    expect(page.get_by_role("status")).to_contain_text("The session has ended.")
    expect(page.get_by_role("main")).to_contain_text(REASON)
    page.goto(offer)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is kept any more")
    laptop.complaints.clear()  # the browser notes the 401 and the 410


def test_what_is_discarded_is_not_sent(visit: Visit, user: Person, admin: Person) -> None:
    victim, phone, laptop = visit(user), visit(admin), visit(admin)
    victim.sign_in()
    fill_in_and_lose_the_session(laptop, phone)
    laptop.page.get_by_role("link", name="Sign in again").click()
    laptop.fill_in_hosted_ui()

    laptop.page.get_by_role("button", name="Discard it").click()

    expect(laptop.page.get_by_role("status")).to_contain_text("Nothing was sent.")
    victim.open("/sessions/")
    expect(victim.page.get_by_text("This one")).to_be_visible()
    laptop.complaints.clear()  # the browser notes the 401
