from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.cognito import breaker
from tests.fake_user_pool import FakeUserPool
from tests.properties.world import World


@pytest.fixture
def world(pool: FakeUserPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A site and its user pool, to be emptied before each example."""
    # Real seconds do not pass between two steps, so an open circuit would never close.
    monkeypatch.setattr(breaker, "OPEN_SECONDS", 0.0)
    world = World(pool)
    yield world
    world.close()
