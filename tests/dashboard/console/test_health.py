from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from accounts import measuring
from accounts.cognito.clock import ClockReading
from accounts.conf import cognito_clock
from accounts.models import Chore, Session
from accounts.tasks import DELIVER, PRUNE
from dashboard.console import measures
from tests.conftest import Browser
from tests.dashboard.console.support import fail_calls, make_revocation
from tests.dashboard.support import words
from tests.outages.support import BROKEN_CACHE


def page(browser: Browser) -> str:
    return str(browser.get("/console/health/").content.decode())


def test_it_says_how_cognito_answers(admin: Browser) -> None:
    fine = page(admin)
    fail_calls(2)
    failing = page(admin)
    fail_calls(3)
    refused = page(admin)

    assert "Answering" in fine
    assert "2 calls in a row went unanswered" in failing
    assert "Not asked" in refused


def test_it_says_how_old_the_signing_keys_are(admin: Browser) -> None:
    assert "Read" in page(admin)


def test_it_says_when_each_chore_ran_and_is_due(admin: Browser, now: datetime) -> None:
    revocation = make_revocation(admin.row, now)
    Chore.objects.create(name=PRUNE, claimed_until=now + timedelta(seconds=30))
    Chore.objects.create(name=DELIVER, claimed_until=now - timedelta(minutes=4))

    response = admin.get("/console/health/")

    assert "Sweep Running" in words(response)
    assert "Workers Keeping up" in words(response)
    assert re.search(r"Counting and tidying up Last run 3\d seconds ago due again \d\d:\d\d UTC", words(response))
    assert "Telling Cognito what has ended Last run 4 minutes ago" in words(response)
    assert f"/console/revocations/{revocation.pk}/" in response.content.decode()


def test_work_under_way_is_not_called_done(admin: Browser, now: datetime) -> None:
    Chore.objects.create(name=DELIVER, claimed_until=now + timedelta(seconds=50))

    assert "Telling Cognito what has ended Under way" in words(admin.get("/console/health/"))


def test_it_says_that_the_sweep_does_not_run(admin: Browser, now: datetime) -> None:
    never = words(admin.get("/console/health/"))
    Chore.objects.create(name=PRUNE, claimed_until=now - timedelta(minutes=7))
    late = words(admin.get("/console/health/"))

    assert "Sweep Never seen" in never
    assert "Sweep Silent It should have started a task 7 minutes ago . Is it running?" in late


def test_it_says_that_no_worker_takes_what_is_due(admin: Browser, user: Browser, now: datetime) -> None:
    Session.objects.filter(pk=user.row.pk).update(expire_date=now - timedelta(minutes=6))
    lapsed = words(admin.get("/console/health/"))
    make_revocation(admin.row, now - timedelta(minutes=20), due_at=now - timedelta(minutes=9))
    due = words(admin.get("/console/health/"))

    assert "Workers Behind" in lapsed
    assert "( 6 minutes ago ). Is a worker running?" in lapsed
    assert "( 9 minutes ago ). Is a worker running?" in due


def test_it_says_of_secrets_only_how_many_there_are(admin: Browser) -> None:
    assert "1 value, never shown" in page(admin)


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0, "Agree"),
        (1, "Agree"),
        (5, "5 seconds apart"),
        (-29, "29 seconds apart"),
        (31, "31 seconds ahead of Cognito's"),
        (-90, "90 seconds behind Cognito's"),
    ],
)
def test_it_says_how_far_apart_the_clocks_are(admin: Browser, now: datetime, ahead: int, said: str) -> None:
    cognito_clock().reading = ClockReading(ahead=timedelta(seconds=ahead), read_at=now)

    text = words(admin.get("/console/health/"))

    assert said in text
    assert ("set the host's clock" in text) == (abs(ahead) > 30)


def test_without_an_answer_nothing_is_known_of_the_clocks(admin: Browser) -> None:
    assert "No call to the API was answered in this process yet" in words(admin.get("/console/health/"))


def test_it_says_how_calls_fared(admin: Browser) -> None:
    for seconds in (0.01, 0.19, 0.19):
        measuring.observe("refresh", "ok", seconds)
    measuring.observe("refresh", "unavailable", 8)
    measuring.observe("get_user", "ok", 9)

    text = words(admin.get("/console/health/"))

    assert "GetTokensFromRefreshToken 4 1 0 0 0 200 ms 200 ms" in text
    assert "GetUser 1 0 0 0 0 over 5 s over 5 s" in text
    assert "RevokeToken 0 0 0 0 0 \u2013 \u2013" in text


def test_it_says_what_of_the_quotas_is_used(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    class LastMinute:
        time = staticmethod(lambda: 3_600_000.0)
        monotonic = staticmethod(lambda: 1e9)

    with monkeypatch.context() as patch:
        patch.setattr(measuring, "time", LastMinute)
        for _ in range(24):
            measuring.observe("global_sign_out", "ok", 0.1)
        patch.setattr(LastMinute, "time", staticmethod(lambda: 3_600_060.0))
        found = measures.quotas()

    assert found is not None
    update = next(quota for quota in found if quota.category == "UserUpdate")
    assert (update.used, update.budget, update.per_second) == (0.4, 20, 25)
    assert update.share == pytest.approx(1.6)


def test_a_quota_nearly_used_up_stands_out() -> None:
    assert measures.Quota("UserUpdate", 25, 20, 20.0).is_scarce
    assert not measures.Quota("UserUpdate", 25, 20, 19.0).is_scarce


def test_it_says_that_each_process_counts_for_itself(admin: Browser) -> None:
    assert "of this process only" in words(admin.get("/console/health/"))


def test_without_the_cache_it_says_that_it_does_not_know(admin: Browser, settings: Settings) -> None:
    settings.CACHES = BROKEN_CACHE

    response = admin.get("/console/health/")

    assert response.status_code == 200
    assert "Not known: the cache is out of reach" in words(response)
    assert "of all hosts" in words(response)


def test_every_operation_has_a_name_here() -> None:
    assert measures.NAMES.keys() == set(measuring.OPERATIONS)
