from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from accounts import conf
from accounts.cognito import breaker
from tests.conftest import LIST_SETTINGS
from tests.fake_user_pool import FakeUserPool
from tests.fake_user_pool.signing import SigningKey
from tests.outages.support import ACCESS_TOKEN_SECONDS, People


@pytest.fixture(scope="module")
def standing_pool() -> Iterator[FakeUserPool]:
    """A user pool for a whole module, and the settings pointing at it: making a client of the SDK takes a while."""
    with FakeUserPool(site_url="http://testserver") as pool:
        settings = {
            name: value.split(LIST_SETTINGS[name]) if name in LIST_SETTINGS else value
            for name, value in pool.environment().items()
        }
        with override_settings(**settings):
            yield pool


@pytest.fixture(scope="module")
def standing_keys(standing_pool: FakeUserPool) -> tuple[SigningKey, SigningKey]:
    return standing_pool.access_key, standing_pool.id_key


@pytest.fixture
def steady(standing_pool: FakeUserPool, standing_keys: tuple[SigningKey, SigningKey]) -> Iterator[FakeUserPool]:
    """The module's user pool, as if new: no fault, no call, nothing rotated, and no key known to the app."""
    pool = standing_pool
    pool.access_key, pool.id_key, pool.retired_keys = *standing_keys, []
    pool.recover()
    pool.calls.clear()
    pool.rotation, pool.grace_seconds = False, 0.0
    pool.access_token_seconds = ACCESS_TOKEN_SECONDS
    conf.token_verifier.cache_clear()
    yield pool
    pool.recover()


@pytest.fixture
def inquisitive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the circuit breaker ask again at once."""
    monkeypatch.setattr(breaker, "OPEN_SECONDS", 0.0)


@pytest.fixture
def people(steady: FakeUserPool, inquisitive: None, db: None) -> People:
    """Three people who are signed in, and two who are about to sign in."""
    people = People.of(steady)
    for browser in (people.user, people.leaver, people.careful):
        browser.sign_in()
    return people
