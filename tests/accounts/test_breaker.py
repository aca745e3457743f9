from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from accounts.cognito import breaker
from accounts.cognito.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, CircuitBreaker
from accounts.cognito.errors import CognitoError, ProviderUnavailableError, RefusedError, ThrottledError, UserPoolError


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class Provider:
    """Something called through a circuit breaker; counts the calls that reach it, and raises `error` if it has one."""

    def __init__(self) -> None:
        self.breaker = CircuitBreaker()
        self.error: Exception | None = None
        self.calls = 0

    def call(self) -> None:
        with self.breaker.guard("GetUser"):
            self.calls += 1
            if self.error is not None:
                raise self.error

    def calls_that_arrive(self, tries: int) -> int:
        """Try so many calls and return how many reached the provider."""
        before = self.calls
        for _ in range(tries):
            with suppress(CognitoError):
                self.call()
        return self.calls - before


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breaker, "time", clock)
    return clock


@pytest.fixture
def provider(clock: Clock) -> Provider:
    return Provider()


@pytest.fixture
def silent(provider: Provider) -> Provider:
    """A provider that has not answered five times in a row."""
    provider.error = ProviderUnavailableError("no answer")
    provider.calls_that_arrive(FAILURES_TO_OPEN)
    return provider


def test_the_circuit_opens_after_five_failures_in_a_row(provider: Provider) -> None:
    provider.error = ProviderUnavailableError("no answer")

    assert provider.calls_that_arrive(100) == FAILURES_TO_OPEN


def test_four_failures_leave_the_circuit_closed(provider: Provider) -> None:
    provider.error = ProviderUnavailableError("no answer")
    provider.calls_that_arrive(FAILURES_TO_OPEN - 1)
    provider.error = None

    assert provider.calls_that_arrive(10) == 10


def test_an_open_circuit_says_how_long_it_stays_so(silent: Provider, clock: Clock) -> None:
    clock.seconds += OPEN_SECONDS - 3

    with pytest.raises(ProviderUnavailableError) as caught:
        silent.call()

    assert caught.value.retry_after == 3


@pytest.mark.parametrize(
    "answer",
    [
        RefusedError("NotAuthorizedException"),
        UserPoolError("ResourceNotFoundException"),
        ThrottledError("TooManyRequestsException"),
        ProviderUnavailableError("a firewall's 403", turned_away=True),
        KeyError("a programming mistake"),
    ],
    ids=lambda error: str(error),
)
def test_any_answer_counts_as_one(provider: Provider, answer: Exception) -> None:
    provider.error = ProviderUnavailableError("no answer")
    provider.calls_that_arrive(FAILURES_TO_OPEN - 1)
    provider.error = answer
    with suppress(type(answer)):
        provider.call()
    provider.error = ProviderUnavailableError("no answer")

    assert provider.calls_that_arrive(100) == FAILURES_TO_OPEN


def test_after_ten_seconds_one_call_is_let_through(silent: Provider, clock: Clock) -> None:
    clock.seconds += OPEN_SECONDS

    assert silent.calls_that_arrive(100) == 1


def test_while_one_call_looks_the_others_wait_for_what_it_finds(silent: Provider, clock: Clock) -> None:
    clock.seconds += OPEN_SECONDS
    inside, go_on = threading.Event(), threading.Event()

    def look() -> None:
        with silent.breaker.guard("GetUser"):
            inside.set()
            go_on.wait(5)

    with ThreadPoolExecutor(1) as executor:
        looking = executor.submit(look)
        inside.wait(5)
        meanwhile = silent.calls_that_arrive(10)
        go_on.set()
        looking.result(5)

    assert meanwhile == 0


def test_a_failed_look_opens_the_circuit_for_ten_seconds_more(silent: Provider, clock: Clock) -> None:
    clock.seconds += OPEN_SECONDS
    silent.calls_that_arrive(1)
    clock.seconds += OPEN_SECONDS - 1

    assert silent.calls_that_arrive(100) == 0


def test_one_answer_closes_the_circuit(silent: Provider, clock: Clock) -> None:
    clock.seconds += OPEN_SECONDS
    silent.error = None

    assert silent.calls_that_arrive(100) == 100


def test_a_look_whose_caller_was_killed_is_followed_by_another(silent: Provider, clock: Clock) -> None:
    clock.seconds += OPEN_SECONDS
    abandoned = silent.breaker.guard("GetUser")
    abandoned.__enter__()
    clock.seconds += OPEN_SECONDS

    assert silent.calls_that_arrive(100) == 1


def test_calls_under_way_when_the_circuit_opens_are_all_that_reach_a_silent_provider() -> None:
    provider, threads = Provider(), 8
    provider.error = ProviderUnavailableError("no answer")
    together = threading.Barrier(threads, timeout=5)

    def call_slowly() -> None:
        with suppress(ProviderUnavailableError), provider.breaker.guard("GetUser"):
            together.wait()
            raise ProviderUnavailableError("no answer")

    with ThreadPoolExecutor(threads) as executor:
        for _ in range(threads):
            executor.submit(call_slowly)

    assert provider.calls_that_arrive(100) == 0
