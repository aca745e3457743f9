"""Every page of Django's admin."""

from __future__ import annotations

import pytest
from pytest_django import DjangoDbBlocker

from tests.browser.inspection import Inspection, inspect
from tests.browser.page_rules import PageRules
from tests.browser.scenes import ADMIN

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def inspection(django_db_blocker: DjangoDbBlocker) -> Inspection:
    return inspect(ADMIN, django_db_blocker)


class TestTables(PageRules):
    # Django labels the search box with a picture. Its text, "Search", names the box; axe counts only what is written.
    KNOWN = ("label-title-only ['#searchbar']",)

    def is_ours(self, name: str) -> bool:
        return name.startswith("admin")
