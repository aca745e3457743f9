from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts.models import EndedSession, EndReason, Session
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

pytestmark = pytest.mark.django_db(transaction=True)


def later(seconds: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def test_an_active_session_is_probed_once_per_interval(user: Browser, pool: FakeUserPool) -> None:
    with later(61):
        for _ in range(5):
            user.get("/")

        assert pool.calls.count("GetUser") == 1


def test_a_session_is_not_probed_before_the_interval_is_over(user: Browser, pool: FakeUserPool) -> None:
    with later(50):
        user.get("/")

    assert pool.calls.count("GetUser") == 0


def test_a_disabled_person_is_out_after_one_interval(user: Browser, pool: FakeUserPool) -> None:
    pool.disable(user.person)

    with later(61):
        response = user.get("/profile/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.ACCESS_REFUSED
    assert not Session.objects.exists()


def test_a_deleted_person_is_out_and_told_that_the_account_is_gone(user: Browser, pool: FakeUserPool) -> None:
    pool.delete(user.person)

    with later(61):
        response = user.get("/sessions/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.ACCOUNT_GONE


def test_a_person_signed_out_by_an_administrator_elsewhere_is_out(user: Browser, pool: FakeUserPool) -> None:
    pool.sign_out_everywhere(user.person)

    with later(61):
        response = user.get("/")

    assert response.context["ended"].reason == EndReason.ACCESS_REFUSED


@pytest.mark.parametrize(
    "failure",
    ["TooManyRequestsException", "InternalErrorException", "ForbiddenException", Failure.UNAVAILABLE, Failure.HTML],
)
def test_an_answer_that_says_nothing_about_the_person_ends_no_session(
    user: Browser, pool: FakeUserPool, failure: Failure | str
) -> None:
    pool.fail("GetUser", failure)

    with later(61):
        response = user.get("/sessions/")

    assert response.status_code == 200
    assert pool.calls.count("GetUser") == 1


def test_a_refused_probe_ends_no_session_whose_tokens_are_newer(user: Browser, pool: FakeUserPool) -> None:
    stale = user.row
    Session.objects.update(token_version=stale.token_version + 1)
    pool.fail("GetUser", "NotAuthorizedException", times=1)

    with later(61):
        from accounts.probe import probe

        probe(stale, timezone.now())

    assert Session.objects.exists()


def test_without_budget_nobody_is_probed_and_the_probe_stays_due(
    user: Browser, pool: FakeUserPool, settings: Settings
) -> None:
    settings.COGNITO_PROBE_RATE = 0

    with later(61):
        user.get("/")

        assert pool.calls.count("GetUser") == 0
        due_at = user.row.probe_due_at
        assert due_at is not None
        assert due_at <= timezone.now()


def test_a_probe_feeds_the_profile_page(user: Browser, pool: FakeUserPool) -> None:
    with later(61):
        user.get("/")
        user.get("/profile/")

    assert pool.calls.count("GetUser") == 1


def test_a_refresh_counts_as_a_probe(visitor: Browser, pool: FakeUserPool) -> None:
    pool.access_token_seconds = 600
    visitor.sign_in()

    with later(500):
        visitor.get("/")

        assert pool.calls.count("GetTokensFromRefreshToken") == 1
        assert pool.calls.count("GetUser") == 0
