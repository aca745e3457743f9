"""What several tests of accounts need to say briefly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.cognito.tokens import TokenResponse
from tests.fake_user_pool import FakeUserPool, Person


def utc_now() -> datetime:
    return datetime.now(UTC)


def token_response(pool: FakeUserPool, person: Person, *, nonce: str = "") -> TokenResponse:
    """Return the token response of a sign-in, spoilt as the test told the pool before."""
    return TokenResponse.parse(pool.sign_in(person, nonce=nonce))


def problem_name(response: Any) -> str:
    """Return the stable name of the problem page that was shown."""
    return str(response.context["problem"].name)


class Background(threading.Thread):
    """Does one thing at once in a thread of its own, whose database connections are closed with it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._answer: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._answer = self._work()
        except BaseException as error:
            self._error = error
        finally:
            for connection in connections.all(initialized_only=True):
                # Django's own way leaves a database in memory open: there it might be the only connection.
                BaseDatabaseWrapper.close(connection)

    def answer(self) -> Any:
        """Wait for the end and return what the work returned, or raise what it raised."""
        self.join(timeout=15)
        if self.is_alive():
            raise TimeoutError("the work in the background does not end")
        if self._error is not None:
            raise self._error
        return self._answer
