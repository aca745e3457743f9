"""Token encryption keys that not every host knows yet, or knows no more."""

from __future__ import annotations

from itertools import pairwise

import pytest
from pytest_django import Settings

from accounts import tasks
from accounts.models import Revocation, Session
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool
from tests.outages.support import later

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "bmV3LWtleS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2Q"


@pytest.fixture
def old(settings: Settings) -> str:
    key: str = settings.TOKEN_ENCRYPTION_KEYS[0]
    return key


def test_a_key_rolled_out_in_three_steps_signs_nobody_out(
    visitor: Browser, user: Browser, settings: Settings, old: str
) -> None:
    rings = [[old], [old, NEW], [NEW, old]]
    for before, after in pairwise(rings):
        settings.TOKEN_ENCRYPTION_KEYS = after
        visitor.sign_in()  # on a host that has been restarted
        settings.TOKEN_ENCRYPTION_KEYS = before

        assert visitor.get("/profile/").status_code == 200  # on one that has not
        visitor.post("/logout/")

    assert user.get("/profile/").status_code == 200


def test_a_host_that_does_not_know_the_newest_key_ends_no_session_of_those_that_do(
    visitor: Browser, settings: Settings, old: str
) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = [NEW, old]
    visitor.sign_in()

    settings.TOKEN_ENCRYPTION_KEYS = [old]
    visitor.get("/profile/")

    assert Session.objects.count() == 1


def test_a_worker_that_does_not_know_the_newest_key_gives_nothing_up(
    visitor: Browser, pool: FakeUserPool, settings: Settings, old: str
) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = [NEW, old]
    visitor.sign_in()
    pool.fail("RevokeToken", Failure.UNAVAILABLE, times=1)
    visitor.post("/logout/")

    settings.TOKEN_ENCRYPTION_KEYS = [old]
    with later(10):
        tasks.deliver_revocations.call()

    assert Revocation.objects.pending().count() == 1
