"""The simulation behind docs/scale.md, on fleets small enough for a test."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.conf import settings

from accounts import budget
from accounts.models import Session
from tests.bench import simulate
from tests.bench.simulate import Fleet, Traffic, probe_intervals, refresh_traffic


def traffic_of(**fleet: Any) -> Traffic:
    sizes = {"sessions": 3000, "arrive_within": 60, "seconds": 2 * simulate.HOUR, "quota": 10}
    return refresh_traffic(Fleet(**sizes | fleet), random.Random(7))


def test_it_reckons_with_the_apps_own_constants() -> None:
    assert (simulate.REFRESH_AT, simulate.REFRESH_SPREAD) == (Session.REFRESH_AT, Session.REFRESH_SPREAD)
    assert (simulate.BACK_OFF_FIRST, simulate.BACK_OFF_MOST) == (Session.BACK_OFF_FIRST, Session.BACK_OFF_MOST)
    assert settings.COGNITO_PROBE_SECONDS == simulate.PROBE_SECONDS
    assert budget.probe_budget().per_second == simulate.PROBE_RATE


def test_every_session_is_refreshed_when_nothing_is_short() -> None:
    traffic = traffic_of(quota=10_000)

    assert traffic.throttled.total() == traffic.without_token == 0
    assert 2 * 3000 <= traffic.refreshed.total() <= 3 * 3000


def test_the_quota_is_never_exceeded_and_everybody_gets_through() -> None:
    traffic = traffic_of()

    assert max(traffic.refreshed.values()) == 10
    assert traffic.throttled.total() > 0
    assert traffic.refreshed.total() >= 3000


def test_more_jitter_makes_a_lower_peak() -> None:
    steep, flat = traffic_of(spread=0.0), traffic_of(spread=0.25)

    assert flat.peak < steep.peak
    assert flat.throttled_share < steep.throttled_share


def test_nobody_is_without_a_token_once_an_outage_has_been_caught_up_with() -> None:
    traffic = traffic_of(quota=50, outage=(2400.0, 3900.0))

    assert traffic.unanswered > 0
    assert traffic.without_token > 0
    assert 3900 < traffic.last_late < 2 * simulate.HOUR - 600


@pytest.mark.parametrize(("sessions", "rate", "is_stretched"), [(60, 5, False), (600, 5, True)])
def test_probes_keep_their_interval_until_the_budget_is_spent(sessions: int, rate: int, is_stretched: bool) -> None:
    intervals = probe_intervals(sessions, 1800.0, random.Random(7), rate=rate, think=5.0)

    assert min(intervals) >= simulate.PROBE_SECONDS
    assert len(intervals) <= rate * 1800
    assert (sum(intervals) / len(intervals) > 1.5 * simulate.PROBE_SECONDS) is is_stretched
