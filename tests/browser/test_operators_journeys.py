"""What operators do, from end to end, with scripts and without."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import DjangoDbBlocker

from tests.browser.people import make_admin, make_uma
from tests.browser.studio import Studio, find_chromium, open_studio
from tests.fake_user_pool import Failure

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def studio(django_db_blocker: DjangoDbBlocker) -> Iterator[Studio]:
    if not find_chromium():
        pytest.skip("no Chromium found: install one, or name it in CHROMIUM")
    with pytest.MonkeyPatch.context() as environment, django_db_blocker.unblock():
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with open_studio(lambda page, name: None) as studio:
            yield studio


@pytest.fixture(params=[True, False], ids=["with scripts", "without"])
def page(studio: Studio, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An operator's browser."""
    with studio.person(make_admin(studio), javascript=request.param) as page:
        yield page


def test_an_operator_exports_what_a_search_finds(studio: Studio, page: Page, tmp_path: Path) -> None:
    uma = make_uma(studio)
    with studio.person(uma):
        page.goto("/console/sessions/")
        page.get_by_label("Search").fill(uma.email)
        page.get_by_label("Search").press("Enter")
        expect(page.locator("tbody tr")).to_have_count(1)

        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        download.value.save_as(tmp_path / "sessions.csv")

    rows = list(csv.DictReader((tmp_path / "sessions.csv").read_text("utf-8-sig").splitlines()))
    assert [uma.email in row.values() for row in rows] == [True]


def test_an_operator_narrows_the_audit_trail_and_widens_it_again(studio: Studio, page: Page) -> None:
    page.goto("/console/events/")

    page.get_by_label("What").select_option(label="Signed in")
    page.get_by_role("button", name="Show").click()
    chips = page.get_by_role("list", name="Active filters")
    expect(chips).to_contain_text("Signed in")
    kinds = page.locator("tbody .badge").all_inner_texts()
    assert {kind.strip() for kind in kinds} == {"Signed in"}
    chips.get_by_role("link", name="Remove this filter").click()

    expect(chips).to_have_count(0)


@pytest.mark.parametrize(("button", "state"), [("Retry now", "Done"), ("Give up", "Given up")])
def test_an_operator_settles_a_revocation_that_waits(studio: Studio, page: Page, button: str, state: str) -> None:
    with studio.person(make_uma(studio)) as theirs:
        studio.pool.fail("RevokeToken", Failure.UNAVAILABLE)
        theirs.goto("/logout/")
        studio.press(theirs, "Sign out here")
        studio.pool.recover()
    page.goto("/console/revocations/?state=pending")
    page.locator("tbody th a").first.click()
    form = page.locator("form.act").filter(has=page.get_by_role("button", name=button))

    form.get_by_label("Reason").fill("Cognito answers again")
    form.get_by_role("button", name=button).click()

    expect(page.locator("section[aria-labelledby=state] .badge")).to_have_text(state)
    expect(page.get_by_role("main")).to_contain_text("Cognito answers again")
