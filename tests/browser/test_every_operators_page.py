"""Every page of the operators' console, in every state."""

from __future__ import annotations

import pytest
from pytest_django import DjangoDbBlocker

from tests.browser.inspection import Inspection, inspect
from tests.browser.page_rules import PageRules
from tests.browser.scenes import OPERATORS

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def inspection(django_db_blocker: DjangoDbBlocker) -> Inspection:
    return inspect(OPERATORS, django_db_blocker)


class TestOperatorsPages(PageRules):
    def is_ours(self, name: str) -> bool:
        return name.startswith("console")
