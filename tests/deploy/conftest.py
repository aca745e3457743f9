"""A local user pool that the tests of this directory share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ministack import LocalUserPool


@pytest.fixture(scope="session")
def local_pool() -> Iterator[LocalUserPool]:
    """Return a user pool made from the template, which tests may read but not change."""
    with LocalUserPool(site_url="http://localhost:8000") as pool:
        yield pool
