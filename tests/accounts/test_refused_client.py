from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import EndedSession, Session
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def due(visitor: Browser, pool: FakeUserPool) -> Browser:
    """Somebody whose access token lives five minutes, four of them over."""
    pool.access_token_seconds = 300
    visitor.sign_in()
    return visitor


def test_a_wrong_client_secret_signs_nobody_out(due: Browser, pool: FakeUserPool) -> None:
    pool.client_secrets[:] = ["the-secret-was-changed-at-the-pool"]

    with time_machine.travel(timezone.now() + timedelta(seconds=240), tick=True):
        response = due.get("/sessions/")

    assert response.status_code == 200
    assert due.row.refresh_error == "UserPoolError: the app client's id or secret is refused"


def test_a_refusal_that_cannot_be_told_from_a_wrong_secret_is_not_believed_yet(
    due: Browser, pool: FakeUserPool
) -> None:
    pool.disable(due.person)
    pool.fail("token", Failure.UNAVAILABLE)
    pool.fail("GetUser", Failure.UNAVAILABLE)

    with time_machine.travel(timezone.now() + timedelta(seconds=240), tick=True):
        due.get("/sessions/")

    assert Session.objects.exists()


def test_a_refused_token_of_an_accepted_client_ends_the_session(due: Browser, pool: FakeUserPool) -> None:
    pool.disable(due.person)

    with time_machine.travel(timezone.now() + timedelta(seconds=240), tick=True):
        response = due.get("/sessions/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == "refresh_refused"
