from __future__ import annotations

import math
import re
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from pytest_django import Settings

from accounts import measuring
from accounts.cognito.breaker import FAILURES_TO_OPEN, CircuitBreaker
from accounts.cognito.errors import (
    InvalidGrantError,
    ProviderUnavailableError,
    RefusedError,
    ThrottledError,
    TokenEndpointError,
    UserPoolError,
)
from accounts.cognito.jwks import KeySet
from accounts.measuring import CacheTally, Tally
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool
from tests.outages.support import BROKEN_CACHE

CALL = re.compile(r"""(?:guard|observed)\("(\w+)""")


class Clock:
    """Stands still, in the middle of a minute, until it is moved."""

    def __init__(self) -> None:
        self.seconds = 3_600_030.0

    def time(self) -> float:
        return self.seconds

    monotonic = time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(measuring, "time", clock)
    return clock


@pytest.fixture
def tally(clock: Clock) -> CacheTally:
    """The tally as a new process has it."""
    return CacheTally()


def of(operation: str, minutes: int = 15) -> Tally:
    tallies = measuring.read(minutes, (operation,))
    assert tallies is not None
    return tallies[0]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (RefusedError("NotAuthorizedException"), "refused"),
        (InvalidGrantError("invalid_grant"), "refused"),
        (ThrottledError("TooManyRequestsException"), "throttled"),
        (ProviderUnavailableError("silence"), "unavailable"),
        (UserPoolError("ResourceNotFoundException"), "error"),
        (TokenEndpointError("invalid_client"), "error"),
        (RuntimeError("a mistake of ours"), "error"),
    ],
)
def test_a_breaker_tells_how_each_call_came_out(error: Exception | None, outcome: str) -> None:
    told: list[tuple[str, str]] = []
    breaker = CircuitBreaker(observe=lambda operation, outcome, seconds: told.append((operation, outcome)))

    with suppress(Exception), breaker.guard("get_user"):
        if error is not None:
            raise error

    assert told == [("get_user", outcome)]


def test_a_call_that_the_breaker_refuses_is_none() -> None:
    told: list[str] = []
    breaker = CircuitBreaker(observe=lambda operation, outcome, seconds: told.append(outcome))

    for _ in range(FAILURES_TO_OPEN + 3):
        with pytest.raises(ProviderUnavailableError), breaker.guard("revoke"):
            raise ProviderUnavailableError("silence")

    assert told == ["unavailable"] * FAILURES_TO_OPEN


def test_reading_the_signing_keys_is_a_call(pool: FakeUserPool) -> None:
    told: list[tuple[str, str]] = []
    now = utc_now()

    with pytest.raises(Exception, match="kid"):
        KeySet(pool.jwks_url, lambda operation, outcome, seconds: told.append((operation, outcome))).key("none", now)
    with pool.down(), pytest.raises(ProviderUnavailableError):
        KeySet(pool.jwks_url, lambda operation, outcome, seconds: told.append((operation, outcome))).key("none", now)

    assert told == [("jwks", "ok"), ("jwks", "unavailable")]


def test_the_tally_counts_what_succeeded_by_its_time_and_what_failed_by_how(tally: CacheTally) -> None:
    for seconds in (0.01, 0.02, 0.12, 30.0):
        tally("refresh", "ok", seconds)
    tally("refresh", "refused", 0.1)
    tally("refresh", "unavailable", 8.0)

    found = of("refresh")

    assert (found.calls, found.failed) == (6, 2)
    assert found.failures == {"refused": 1, "throttled": 0, "unavailable": 1, "error": 0}
    assert found.percentile(0.5) == 0.025
    assert found.percentile(0.75) == 0.15
    assert found.percentile(0.95) == math.inf


def test_without_a_call_that_succeeded_there_is_no_latency(tally: CacheTally) -> None:
    tally("revoke", "unavailable", 3.0)

    assert of("revoke").percentile(0.5) is None
    assert of("jwks").calls == 0


def test_what_is_older_than_asked_for_does_not_count(tally: CacheTally, clock: Clock) -> None:
    tally("get_user", "ok", 0.1)

    clock.seconds += 15 * 60

    assert of("get_user", minutes=15).calls == 0
    assert of("get_user", minutes=16).calls == 1


def test_an_operation_nobody_knows_takes_no_place(tally: CacheTally) -> None:
    tally("made_up", "ok", 0.1)

    assert not cache.get("calls:60000:made_up:2")


def test_a_cache_that_is_down_is_asked_once_and_then_left_alone(
    tally: CacheTally, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = BROKEN_CACHE

    for _ in range(5):
        tally("refresh", "ok", 0.1)

    assert caplog.text.count("The cache is of no use now") == 1
    assert measuring.read(15) is None


def test_a_sign_in_is_tallied(user: Browser) -> None:
    assert of("exchange").calls == of("jwks").calls == 1


def test_every_call_in_the_code_has_its_place_in_the_tally() -> None:
    sources = Path(django_settings.BASE_DIR, "accounts").rglob("*.py")

    named = {name for source in sources for name in CALL.findall(source.read_text())}

    assert named <= {*measuring.OPERATIONS, *measuring.STEPS}
    assert named
