"""The language of pages in a real browser: what the server writes and what the script writes agree."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from deploy.local.people import Person
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.ministack]
Visit = Callable[..., Visitor]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_language_is_chosen_at_the_foot_of_a_page_and_fits_on_a_phone(
    visit: Visit, user: Person, javascript: bool
) -> None:
    visitor = visit(user, javascript=javascript)
    page = visitor.page
    page.set_viewport_size({"width": 360, "height": 800})

    visitor.open("/signed-out/")
    page.get_by_role("button", name="Deutsch").click()

    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page).to_have_url(f"{visitor.site.url}/signed-out/")
    expect(page.get_by_role("button", name="Deutsch")).to_have_attribute("aria-current", "true")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") if javascript else True


def test_the_times_of_a_german_page_are_german(visit: Visit, user: Person) -> None:
    visitor = visit(user)
    visitor.sign_in("/sessions/")

    visitor.page.get_by_role("button", name="Deutsch").click()

    expect(visitor.page.locator("time[data-time=relative]").first).to_have_text(
        re.compile(r"^(in|vor) \d+ (Sekunden?|Minuten?|Stunden?)$|^jetzt$")
    )
