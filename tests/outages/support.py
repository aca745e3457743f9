"""What tests of outages share."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from accounts import conf
from accounts.cognito import jwks, oidc
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool, Person

# Nobody listens on the discard port.
BROKEN_CACHE: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:9/0",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}


def later(seconds: float) -> time_machine.travel:
    """Be so many seconds later inside the block; the clock goes on."""
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


@contextmanager
def impatience() -> Iterator[None]:
    """Wait for slow answers a fraction of a second only, inside the block."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (oidc, jwks):
            patch.setattr(module, "TIMEOUT_SECONDS", (2.0, READ_SECONDS))
        for client in (conf.user_pool, conf.brisk_user_pool):
            client.cache_clear()
            client().api.read_timeout = READ_SECONDS
        yield
    conf.user_pool.cache_clear()
    conf.brisk_user_pool.cache_clear()


def closed_port() -> int:
    """Return a loopback port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


# Instead of 8 and 3 seconds: a provider that needs 10 is as far beyond it.
READ_SECONDS = 0.5

# Refreshed after 420 to 450 seconds.
ACCESS_TOKEN_SECONDS = 600.0
WHEN_REFRESH_IS_DUE = 500.0
WHEN_THE_ACCESS_TOKEN_HAS_EXPIRED = 620.0
# Longer than the longest back-off of a refresh.
WHEN_IT_IS_OVER = 720.0


@dataclass
class People:
    """`user` goes on working, `leaver` signs out, `careful` does so everywhere; `visitor` and `latecomer` sign in."""

    user: Browser
    leaver: Browser
    careful: Browser
    visitor: Browser
    latecomer: Browser

    @classmethod
    def of(cls, pool: FakeUserPool) -> People:
        """Return new people of a pool, each in front of a browser, nobody signed in."""
        names = (field.name for field in fields(cls))
        return cls(*(Browser(pool, pool.add_person(f"{name}-{uuid4().hex[:8]}@example.com")) for name in names))


def readiness(browser: Browser) -> tuple[int, int]:
    """Return what a load balancer is told: the status of /healthz and of /readyz."""
    return browser.get("/healthz").status_code, browser.get("/readyz").status_code


def is_dead_at_the_pool(pool: FakeUserPool, person: Person) -> bool:
    """Tell whether every refresh token of a person is of no more use."""
    sign_ins = [sign_in for sign_in in pool.sign_ins.values() if sign_in.person is person]
    return bool(sign_ins) and all(sign_in.revoked for sign_in in sign_ins)


def secrets_of(pool: FakeUserPool) -> list[str]:
    """Return every text that must never be in a log."""
    return [*pool.refresh_tokens, *pool.client_secrets, *pool.codes]
