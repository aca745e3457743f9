"""How fast refreshes are, beside the charts of the overview."""

from __future__ import annotations

from pytest_django import Settings

from accounts import measuring
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.outages.support import BROKEN_CACHE


def test_the_overview_says_how_fast_refreshes_are(admin: Browser) -> None:
    for seconds in (0.09, 0.09, 1.9):
        measuring.observe("refresh", "ok", seconds)
    measuring.observe("refresh", "throttled", 0.1)

    page = words(admin.get("/console/"))

    for minutes in (15, 60):
        assert f"Last {minutes} minutes half within 100 ms , 95 % within 2 s 4 calls, 1 failed" in page


def test_without_a_refresh_there_is_no_time_to_tell(admin: Browser) -> None:
    assert "none succeeded 0 calls, 0 failed" in words(admin.get("/console/"))


def test_without_the_cache_the_overview_says_that_it_does_not_know(admin: Browser, settings: Settings) -> None:
    settings.CACHES = BROKEN_CACHE

    response = admin.get("/console/")

    assert response.status_code == 200
    assert "Not known: the cache is out of reach" in words(response)
