from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool


@pytest.fixture
def viewer(pool: FakeUserPool, db: None) -> Browser:
    """Somebody who is signed in and may look at everything, and end nothing."""
    browser = Browser(pool, pool.add_person("viewer@example.com", name="Viola Viewer", groups=["support"]))
    browser.sign_in()
    return browser


@pytest.fixture
def now() -> datetime:
    return timezone.now()
