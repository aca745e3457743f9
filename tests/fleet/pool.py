"""A user pool that keeps account, and can leave some people's calls without an answer."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.fake_user_pool import FakeUserPool, Person, PoolError, TokenResponse
from tests.fake_user_pool.faults import ConnectionDroppedError
from tests.fake_user_pool.state import SignIn
from tests.fake_user_pool.web import Request, Response, html

REFRESH = "GetTokensFromRefreshToken"
REVOKE = "RevokeToken"
# Refreshed after 21 to 22 seconds: everybody is refreshed two or three times a minute.
ACCESS_TOKEN_SECONDS = 30.0
# As deploy/user-pool.yaml has it.
GRACE_SECONDS = 30.0


@dataclass
class Silence:
    """Calls of an operation for some people that are left without an answer: before the work is done, or after it."""

    operation: str
    people: set[str]
    is_done_first: bool
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    over: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, count: int, seconds: float) -> None:
        """Wait until so many calls are waiting."""
        for _ in range(count):
            if not self.arrived.acquire(timeout=seconds):
                raise TimeoutError(f"fewer than {count} calls of {self.operation} after {seconds} seconds")


@dataclass(frozen=True)
class Told:
    """One revocation that succeeded, at a time of `time.monotonic()`."""

    sign_in: SignIn
    at: float


class FleetPool(FakeUserPool):
    """Rotates refresh tokens, and remembers refusals, revocations, and refreshes of one sign-in that overlap."""

    def __init__(self) -> None:
        super().__init__()
        self.rotation, self.grace_seconds = True, GRACE_SECONDS
        self.access_token_seconds = ACCESS_TOKEN_SECONDS
        self.refused_refreshes: list[tuple[str, SignIn | None]] = []
        self.refreshes = 0
        self.told: list[Told] = []
        self.overlapping: list[SignIn] = []
        self._silences: list[Silence] = []
        self._refusing: dict[str, set[str]] = defaultdict(set)
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def silent(self, operation: str, people: Iterable[Person], *, is_done_first: bool) -> Iterator[Silence]:
        """Keep these people's calls waiting inside the block; after it their connections are closed."""
        silence = Silence(operation, {person.sub for person in people}, is_done_first)
        self._silences.append(silence)
        try:
            yield silence
        finally:
            self._silences.remove(silence)
            silence.over.set()

    @contextmanager
    def refusing(self, operation: str, people: Iterable[Person]) -> Iterator[None]:
        """Answer 503 to these people's calls inside the block."""
        subjects = {person.sub for person in people}
        self._refusing[operation] |= subjects
        try:
            yield
        finally:
            self._refusing[operation] -= subjects

    def refresh(self, token: str) -> TokenResponse:
        try:
            response = super().refresh(token)
        except PoolError as error:
            found = self.refresh_tokens.get(token)
            self.refused_refreshes.append((error.code, found.sign_in if found else None))
            raise
        self.refreshes += 1
        return response

    def revoke(self, token: str) -> None:
        super().revoke(token)
        if found := self.refresh_tokens.get(token):
            self.told.append(Told(found.sign_in, time.monotonic()))

    def answer(self, request: Request) -> Response:
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in {REFRESH, REVOKE}:
            return super().answer(request)
        sign_in = self._sign_in_of(request)
        if operation == REFRESH and sign_in is not None:
            with self._counted(sign_in):
                return self._answer_of(operation, sign_in, request)
        return self._answer_of(operation, sign_in, request)

    def _answer_of(self, operation: str, sign_in: SignIn | None, request: Request) -> Response:
        subject = sign_in.person.sub if sign_in else ""
        if subject in self._refusing[operation]:
            return html("<h1>503 Service Unavailable</h1>", 503)
        silences = [each for each in self._silences if each.operation == operation and subject in each.people]
        if not silences:
            return super().answer(request)
        if silences[0].is_done_first:
            super().answer(request)
        silences[0].arrived.release()
        silences[0].over.wait()
        raise ConnectionDroppedError

    def _sign_in_of(self, request: Request) -> SignIn | None:
        token = str(request.json.get("RefreshToken") or request.json.get("Token"))
        with self.lock:
            found = self.refresh_tokens.get(token)
        return found.sign_in if found else None

    @contextmanager
    def _counted(self, sign_in: SignIn) -> Iterator[None]:
        """Note a sign-in of which two refreshes are under way at the same time."""
        with self.lock:
            self._under_way[sign_in.event_id] += 1
            if self._under_way[sign_in.event_id] > 1:
                self.overlapping.append(sign_in)
        try:
            yield
        finally:
            with self.lock:
                self._under_way[sign_in.event_id] -= 1
