from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from botocore.httpsession import URLLib3Session
from django.db import connection
from django.utils import timezone

from accounts import tasks
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool


@pytest.fixture
def was_in_transaction(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each call that goes out from here on: whether a transaction was open."""
    calls: list[bool] = []

    def watched(send: Callable[..., Any]) -> Callable[..., Any]:
        def watch(*args: Any, **kwargs: Any) -> Any:
            calls.append(connection.in_atomic_block)
            return send(*args, **kwargs)

        return watch

    monkeypatch.setattr(requests.Session, "send", watched(requests.Session.send))
    monkeypatch.setattr(URLLib3Session, "send", watched(URLLib3Session.send))
    return calls


@pytest.mark.django_db(transaction=True)
def test_no_call_goes_out_while_a_transaction_is_open(
    visitor: Browser, pool: FakeUserPool, was_in_transaction: list[bool]
) -> None:
    pool.access_token_seconds = 600
    visitor.sign_in()
    with time_machine.travel(timezone.now() + timedelta(seconds=70), tick=True):
        visitor.get("/profile/")
    with time_machine.travel(timezone.now() + timedelta(seconds=500), tick=True):
        visitor.get("/profile/")
        pool.fail("GlobalSignOut", Failure.UNAVAILABLE, times=1)
        visitor.post("/logout/everywhere/")
    with time_machine.travel(timezone.now() + timedelta(seconds=900), tick=True):
        tasks.deliver_revocations.call()

    operations = ["token", "jwks", "GetUser", "GetTokensFromRefreshToken", "GlobalSignOut"]
    assert all(pool.calls.count(operation) for operation in operations)
    assert len(was_in_transaction) >= len(operations)
    assert not any(was_in_transaction)
