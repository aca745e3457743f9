"""Clocks that disagree by less than what tokens are forgiven: nobody notices."""

from __future__ import annotations

import pytest

from accounts.models import EndedSession, Session
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool
from tests.outages.support import WHEN_REFRESH_IS_DUE, later

pytestmark = pytest.mark.django_db(transaction=True)
SKEW = 20.0


@pytest.mark.parametrize("skew", [SKEW, -SKEW], ids=["ahead", "behind"])
def test_a_small_difference_fails_no_sign_in_and_no_refresh(visitor: Browser, pool: FakeUserPool, skew: float) -> None:
    pool.access_token_seconds = 600
    pool.clock_skew = skew

    signed_in = visitor.sign_in()
    with later(WHEN_REFRESH_IS_DUE):
        page = visitor.get("/profile/")

    assert (signed_in.status_code, page.status_code) == (302, 200)
    assert pool.calls.count("GetTokensFromRefreshToken") == 1


@pytest.mark.parametrize("skew", [300.0, -4000.0], ids=["ahead", "behind"])
def test_a_great_difference_stops_sign_ins_with_a_page_of_its_own(
    visitor: Browser, pool: FakeUserPool, skew: float
) -> None:
    pool.clock_skew = skew

    response = visitor.sign_in()

    assert response.status_code == 500
    assert response.context["problem"].name == "clock"


def test_a_great_difference_that_comes_later_signs_nobody_out(visitor: Browser, pool: FakeUserPool) -> None:
    pool.access_token_seconds = 600
    visitor.sign_in()
    pool.clock_skew = 300

    with later(WHEN_REFRESH_IS_DUE):
        response = visitor.get("/sessions/")

    assert response.status_code == 200
    assert "TokenClockError" in visitor.row.refresh_error


@pytest.mark.parametrize("page", ["/profile/", "/"])
def test_a_token_that_expires_at_cognito_a_little_earlier_ends_no_session(
    visitor: Browser, pool: FakeUserPool, page: str
) -> None:
    pool.access_token_seconds = 600
    pool.clock_skew = SKEW
    visitor.sign_in()
    pool.fail("GetTokensFromRefreshToken", Failure.UNAVAILABLE)

    # By our clock the token lives eight or twelve seconds more; by Cognito's it has just expired.
    with later(600 + SKEW - (8 if page == "/profile/" else 12)):
        visitor.get(page)

    assert not EndedSession.objects.exists()
    assert Session.objects.count() == 1
