"""Every page of a person's own, in every state."""

from __future__ import annotations

import pytest
from pytest_django import DjangoDbBlocker

from tests.browser.inspection import Inspection, inspect
from tests.browser.page_rules import PageRules
from tests.browser.scenes import OWN

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def inspection(django_db_blocker: DjangoDbBlocker) -> Inspection:
    return inspect(OWN, django_db_blocker)


class TestOwnPages(PageRules):
    def is_ours(self, name: str) -> bool:
        return not name.startswith(("console", "admin"))
