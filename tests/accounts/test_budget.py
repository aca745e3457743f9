from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from accounts import budget
from accounts.budget import Budget, can_spend, probe_budget, spend
from accounts.cognito.errors import ThrottledError
from tests.outages.support import BROKEN_CACHE

NOW = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
THREE = Budget("three", 3)


def test_a_seconds_budget_is_spent_call_by_call() -> None:
    assert [can_spend(THREE, NOW) for _ in range(5)] == [True, True, True, False, False]


def test_the_next_second_has_a_budget_of_its_own() -> None:
    for _ in range(5):
        can_spend(THREE, NOW)

    assert can_spend(THREE, NOW + timedelta(seconds=1))


def test_budgets_do_not_share() -> None:
    for _ in range(5):
        can_spend(THREE, NOW)

    assert can_spend(Budget("other", 3), NOW)


def test_spending_beyond_the_budget_is_throttling_of_our_own() -> None:
    for _ in range(3):
        spend(THREE, NOW)

    with pytest.raises(ThrottledError) as caught:
        spend(THREE, NOW)

    assert caught.value.retry_after == 1


def test_without_a_cache_the_limit_is_left_to_cognito(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.CACHES = BROKEN_CACHE

    assert all(can_spend(THREE, NOW) for _ in range(10))

    assert "The cache is of no use now" in caplog.text


def test_the_probes_share_is_a_setting(settings: Settings) -> None:
    settings.COGNITO_PROBE_RATE = 7

    assert probe_budget().per_second == 7


# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
@pytest.mark.parametrize(("ours", "quota"), [(budget.REVOKE, 120), (budget.GLOBAL_SIGN_OUT, 25)], ids=lambda v: str(v))
def test_our_share_leaves_something_of_the_quota_to_others(ours: Budget, quota: int) -> None:
    assert 0 < ours.per_second < quota
