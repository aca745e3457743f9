"""The two user pools that every test of the contract runs on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.support import Browser, Person, Pool, RelyingParty
from tests.fake_user_pool import FakeUserPool
from tests.ministack import LocalUserPool

SITE_URL = "http://localhost:8000"


@pytest.fixture
def fake() -> Iterator[FakeUserPool]:
    """Start the fake behind `pool`, for tests that run on nothing else to steer."""
    with FakeUserPool(site_url=SITE_URL) as fake:
        yield fake


@pytest.fixture(scope="session")
def ministack_pool() -> Iterator[Pool]:
    with LocalUserPool(site_url=SITE_URL) as local:
        yield Pool(local.settings, SITE_URL)


@pytest.fixture(params=["fake", pytest.param("ministack", marks=pytest.mark.ministack)])
def pool(request: pytest.FixtureRequest) -> Pool:
    """Return the user pool under test."""
    if request.param == "ministack":
        local: Pool = request.getfixturevalue("ministack_pool")
        return local
    fake: FakeUserPool = request.getfixturevalue("fake")
    return Pool(fake.environment(), SITE_URL)


@pytest.fixture
def user(pool: Pool) -> Person:
    return pool.add_person("user")


@pytest.fixture
def admin(pool: Pool) -> Person:
    return pool.add_person("admin", "admins")


@pytest.fixture
def app(pool: Pool) -> RelyingParty:
    return RelyingParty(pool)


@pytest.fixture
def browser(pool: Pool) -> Iterator[Browser]:
    browser = Browser(pool)
    with browser.session:
        yield browser
