"""Slow answers, failures, and the record of calls."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate

from tests.fake_user_pool import api
from tests.fake_user_pool.web import Request, Response, html, json_response


class ConnectionDroppedError(Exception):
    """The connection is to be closed without an answer."""


class Failure(Enum):
    """The ways in which a call can fail."""

    THROTTLED = "a quota is used up: TooManyRequestsException, or 429 outside the API"
    INTERNAL_ERROR = "InternalErrorException, or a bare 500 outside the API"
    UNAVAILABLE = "503 from something in front"
    CLOSED = "the connection is closed without an answer"
    HANG = "no answer at all until the caller gives up"
    HTML = "a page where JSON belongs, with status 200"
    TRUNCATED_JSON = "a JSON document cut short, with status 200"
    WRONG_SHAPE = "valid JSON of another shape, with status 200"
    LOST_ANSWER = "the work is done, but the connection is closed before the answer"


@dataclass
class _Rule:
    operation: str
    times: float
    seconds: float = 0.0
    failure: Failure | Response | str | None = None


class Faults:
    """What goes wrong, by operation ("*" for all of them), for a number of calls or until cleared."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._over = threading.Event()

    def add(
        self, operation: str, *, seconds: float = 0.0, failure: Failure | Response | str | None = None, times: float
    ) -> None:
        """Make the next calls slow, or fail."""
        with self._lock:
            self._rules.append(_Rule(operation, times, seconds, failure))

    def clear(self, operation: str = "*") -> None:
        """End the faults of an operation, or all; calls that wait go on at once."""
        with self._lock:
            self._rules = [rule for rule in self._rules if operation not in {"*", rule.operation}]
            over, self._over = self._over, threading.Event()
        over.set()

    def strike(self, operation: str, request: Request) -> tuple[Response | None, bool]:
        """Wait if the call is to be slow; return the wrong answer, if any, and whether to lose the right one."""
        with self._lock:
            over = self._over
            rules = self._due(operation)
        seconds = sum(rule.seconds for rule in rules)
        over.wait(None if math.isinf(seconds) else seconds)
        failure = next((rule.failure for rule in rules if rule.failure is not None), None)
        if failure is Failure.HANG:
            over.wait()
        if failure is None or failure is Failure.LOST_ANSWER:
            return None, failure is not None
        return _answer(failure, in_api=bool(api.operation_of(request))), False

    def _due(self, operation: str) -> list[_Rule]:
        due = [rule for rule in self._rules if rule.operation in {"*", operation}]
        for rule in due:
            rule.times -= 1
        self._rules = [rule for rule in self._rules if rule.times > 0]
        return due


def _answer(failure: Failure | Response | str, *, in_api: bool) -> Response:
    json_type = api.MEDIA_TYPE if in_api else "application/json"
    match failure:
        case Response():
            return failure
        case str():
            return api.error_response(failure) if in_api else json_response({"error": failure}, 400)
        case Failure.THROTTLED:
            return api.error_response("TooManyRequestsException", "Rate exceeded") if in_api else Response(429)
        case Failure.INTERNAL_ERROR:
            return api.error_response("InternalErrorException") if in_api else Response(500)
        case Failure.UNAVAILABLE:
            return html("<h1>503 Service Unavailable</h1>", 503)
        case Failure.HTML:
            return html("<h1>Welcome to the hotel's wireless network</h1>")
        case Failure.TRUNCATED_JSON:
            return Response(200, b'{"access_token": "ey', {"Content-Type": json_type})
        case Failure.WRONG_SHAPE:
            shape = {"AuthenticationResult": [], "keys": {}, "access_token": 7, "Username": None}
            return json_response(shape, media_type=json_type)
    raise ConnectionDroppedError


@dataclass
class Call:
    """One call the pool received; `status` is 0 if it was left without an answer."""

    operation: str
    parameters: Mapping[str, object]
    started: float
    finished: float = math.inf
    status: int = 0


class Calls:
    """The calls the pool received; times are `time.monotonic()`."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._changed = threading.Condition()

    def of(self, operation: str) -> list[Call]:
        """Return the calls of an operation, oldest first."""
        with self._changed:
            return [call for call in self._calls if operation in {"*", call.operation}]

    def count(self, operation: str) -> int:
        return len(self.of(operation))

    def most_at_once(self, operation: str) -> int:
        """Return how many calls of an operation were in progress at the same time, at the most."""
        calls = self.of(operation)
        # At the same instant an end comes before a start.
        changes = sorted([(call.started, 1) for call in calls] + [(call.finished, -1) for call in calls])
        return max(accumulate(change for _, change in changes), default=0)

    def wait_for(self, operation: str, count: int = 1, *, seconds: float = 5.0) -> None:
        """Wait until `count` calls of an operation have arrived; raise TimeoutError if they do not."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.count(operation) >= count, timeout=seconds):
                raise TimeoutError(f"{self.count(operation)} of {count} calls of {operation} after {seconds} seconds")

    def clear(self) -> None:
        with self._changed:
            self._calls.clear()

    @contextmanager
    def recorded(self, operation: str, request: Request) -> Iterator[Call]:
        """Record a call for as long as it is in progress."""
        parameters = request.form or (request.json if request.method == "POST" else request.query)
        call = Call(operation, parameters, started=time.monotonic())
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()
        try:
            yield call
        finally:
            call.finished = time.monotonic()
