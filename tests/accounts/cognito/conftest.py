from __future__ import annotations

import pytest

from accounts.cognito.config import UserPoolConfig
from accounts.cognito.jwks import KeySet
from accounts.cognito.verifier import TokenVerifier
from accounts.conf import user_pool_config
from tests.fake_user_pool import FakeUserPool, Person


@pytest.fixture
def config(pool: FakeUserPool) -> UserPoolConfig:
    del pool
    return user_pool_config()


@pytest.fixture
def person(pool: FakeUserPool) -> Person:
    return pool.add_person("user@example.com", name="Uma User", groups=["readers"])


@pytest.fixture
def verifier(config: UserPoolConfig) -> TokenVerifier:
    return TokenVerifier(config, KeySet(config.jwks_url))
