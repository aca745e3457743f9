from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.clock import Clock
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.user_pool import UserPoolClient
from tests.fake_user_pool import FakeUserPool, Person

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Sat, 31 Jan 2026 12:00:00 GMT", timedelta(0)),
        ("Sat, 31 Jan 2026 11:59:00 GMT", timedelta(minutes=1)),
        ("Sat, 31 Jan 2026 12:00:45 GMT", timedelta(seconds=-45)),
    ],
)
def test_the_clock_tells_how_far_ahead_this_host_is(date: str, ahead: timedelta) -> None:
    clock = Clock(lambda: NOON)

    clock.compare(date)

    assert clock.reading is not None
    assert (clock.reading.ahead, clock.reading.read_at) == (ahead, NOON)


@pytest.mark.parametrize("date", ["", "noon", "Sat, 99 Jan 2026 12:00:00 GMT", "\x00", "9" * 5000])
def test_nonsense_says_nothing_of_the_time(date: str) -> None:
    clock = Clock(lambda: NOON)

    clock.compare(date)

    assert clock.reading is None


def test_every_answer_of_the_api_tells_the_time(config: UserPoolConfig, pool: FakeUserPool, person: Person) -> None:
    clock = Clock()

    UserPoolClient(config, CircuitBreaker(), clock).get_user(pool.sign_in(person)["access_token"])

    assert clock.reading is not None
    assert abs(clock.reading.ahead) < timedelta(seconds=30)
