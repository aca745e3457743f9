from __future__ import annotations

import pytest
from django.core.cache import cache
from pytest_django import Settings

from accounts import soft_cache
from tests.outages.support import BROKEN_CACHE


@pytest.fixture
def broken_cache(settings: Settings) -> None:
    """A cache server that is not there."""
    settings.CACHES = BROKEN_CACHE


def test_what_is_put_is_there_to_get() -> None:
    soft_cache.put("key", {"a": 1}, seconds=60)

    assert soft_cache.get("key") == {"a": 1}


def test_what_was_never_put_is_nothing() -> None:
    assert soft_cache.get("key") is None


def test_what_is_put_for_no_time_is_gone() -> None:
    soft_cache.put("key", 1, seconds=0)

    assert soft_cache.get("key") is None


def test_counting_counts() -> None:
    assert [soft_cache.count("key", seconds=60) for _ in range(3)] == [1, 2, 3]


def test_counting_on_something_that_is_no_number_counts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    cache.set("key", "nonsense")

    assert soft_cache.count("key", seconds=60) == 0

    assert "The cache is of no use now" in caplog.text


@pytest.mark.usefixtures("broken_cache")
def test_a_cache_that_is_down_is_like_an_empty_one(caplog: pytest.LogCaptureFixture) -> None:
    soft_cache.put("key", 1, seconds=60)

    assert soft_cache.get("key") is None
    assert soft_cache.count("key", seconds=60) == 0


@pytest.mark.usefixtures("broken_cache")
def test_a_cache_that_is_down_is_a_warning_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    soft_cache.get("key")

    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.usefixtures("broken_cache")
def test_the_warning_does_not_repeat_what_was_to_be_kept(caplog: pytest.LogCaptureFixture) -> None:
    soft_cache.put("key", "what-a-person-told-us", seconds=60)

    assert "what-a-person-told-us" not in caplog.text
