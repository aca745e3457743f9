from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from tests.dashboard.console.conftest import now as now
from tests.dashboard.console.test_access import address as address
from tests.dashboard.test_every_pages_rules import ids as ids


@pytest.fixture(autouse=True)
def language_of_the_thread() -> Iterator[None]:
    """Leave the thread as it was: a request leaves its language behind in it."""
    with translation.override("en"):
        yield
