from __future__ import annotations

import pytest

from tests.conftest import Browser

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


@pytest.fixture
def phone(user: Browser) -> Browser:
    """A second browser in which the user is signed in."""
    phone = Browser(user.pool, user.person, headers={"user-agent": FIREFOX})
    phone.sign_in()
    return phone
