"""The cache down, or answering nonsense: everything works, and the log warns."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from pytest_django import Settings

from accounts import tasks
from accounts.models import Revocation
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool
from tests.outages.support import BROKEN_CACHE, later

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def no_cache(settings: Settings) -> None:
    """A cache server that is not there."""
    settings.CACHES = BROKEN_CACHE


@pytest.mark.usefixtures("no_cache")
def test_without_a_cache_people_sign_in_work_and_sign_out(user: Browser, visitor: Browser, pool: FakeUserPool) -> None:
    signed_in = visitor.sign_in("/profile/")
    with later(61):
        pages = [user.get(page).status_code for page in ("/", "/profile/", "/sessions/", "/tokens/")]
    signed_out = [user.post("/logout/").status_code, visitor.post("/logout/everywhere/").status_code]

    assert signed_in["Location"] == "/profile/"
    assert pages == [200] * 4
    assert signed_out == [302, 302]
    assert set(Revocation.objects.values_list("state", flat=True)) == {Revocation.State.DONE}


@pytest.mark.usefixtures("no_cache")
def test_without_a_cache_a_disabled_person_is_still_found_out(user: Browser, pool: FakeUserPool) -> None:
    pool.disable(user.person)

    with later(61):
        response = user.get("/sessions/")

    assert response.status_code == 401


@pytest.mark.usefixtures("no_cache")
def test_without_a_cache_the_worker_delivers_revocations(user: Browser, pool: FakeUserPool) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE, times=1)
    user.post("/logout/")

    with later(10):
        tasks.deliver_revocations.call()

    assert Revocation.objects.get().state == Revocation.State.DONE


@pytest.mark.usefixtures("no_cache")
def test_a_cache_that_is_down_is_a_warning_and_no_error(user: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with later(61):
        user.get("/profile/")

    of_the_cache = [record for record in caplog.records if record.name == "accounts.soft_cache"]
    assert of_the_cache
    assert {record.levelname for record in of_the_cache} == {"WARNING"}


@pytest.mark.usefixtures("no_cache")
def test_a_cache_that_is_down_takes_no_host_out_of_service(user: Browser) -> None:
    response = user.get("/readyz")

    assert response.status_code == 200
    assert "cache" in response.content.decode()


@pytest.mark.parametrize("nonsense", ["nonsense", 7, {"profile": None}, ["a"]], ids=lambda value: type(value).__name__)
def test_nonsense_from_the_cache_is_like_nothing(user: Browser, nonsense: object) -> None:
    cache.set(f"profile:{user.row.public_id}", nonsense)

    response = user.get("/profile/")

    assert response.status_code == 200
    assert user.person.email in response.content.decode()
