from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.cognito.breaker import FAILURES_TO_OPEN
from accounts.models import Event, EventCount
from dashboard.console import charts as charts_module
from dashboard.console import overview
from dashboard.console.charts import charts, count_by_hour, hours_until
from tests.conftest import Browser
from tests.dashboard.console.support import fail_calls, make_revocation, make_session, make_sessions
from tests.dashboard.support import words

NOW = datetime(2026, 1, 31, 12, 34, tzinfo=UTC)


def alarms(browser: Browser) -> dict[str, Any]:
    return {str(alarm.title): alarm for alarm in browser.get("/console/").context["alarms"]}


@pytest.mark.django_db
def test_events_are_counted_by_the_hour_and_kind() -> None:
    for minutes, kind in ((0, "refreshed"), (34, "refreshed"), (35, "refreshed"), (36, "refresh_reused")):
        Event.objects.create(at=NOW - timedelta(minutes=minutes), kind=kind)
    Event.objects.create(at=NOW - timedelta(hours=25), kind="refreshed")
    row = make_sessions(1, NOW)[0]
    make_revocation(row, NOW, state="done", settled_at=NOW)
    make_revocation(row, NOW)
    hours = hours_until(NOW)

    drawn = {
        str(chart.title): [bar.count for bar in chart.bars] for chart in charts(count_by_hour(hours).counts, hours)
    }

    assert hours[-1] == NOW.replace(minute=0)
    assert len(hours) == 24
    assert drawn["Refreshes"][-2:] == [1, 2]
    assert drawn["Failed refreshes"][-2:] == [1, 0]
    assert drawn["Revocations told"][-1] == 1
    assert sum(map(sum, drawn.values())) == 5


@pytest.mark.django_db
def test_what_the_worker_has_counted_is_not_counted_again() -> None:
    hours = hours_until(NOW)
    for hour in hours:
        Event.objects.create(at=hour, kind="refreshed")
    make_revocation(make_sessions(1, NOW)[0], NOW, state="done", settled_at=hours[3])
    EventCount.objects.catch_up(NOW)
    Event.objects.all().delete()
    Event.objects.create(at=NOW, kind="signed_in")

    day = count_by_hour(hours)

    assert day.counts == {
        **{(hour, "refreshed"): 1 for hour in hours},
        **{(hour, "revoked"): int(hour == hours[3]) for hour in hours},
        (hours[-1], "signed_in"): 1,
    }
    assert day.counted_until is None


@pytest.mark.django_db
def test_events_that_nobody_has_counted_are_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts_module, "MOST_COUNTED", 3)
    hours = hours_until(NOW)
    for hour in hours:
        Event.objects.create(at=hour, kind="refreshed")

    day = count_by_hour(hours)

    assert day.counts == {(hour, "refreshed"): 1 for hour in hours[:3]}
    assert day.counted_until == hours[2]


@pytest.mark.django_db
def test_many_revocations_leave_no_event_uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts_module, "MOST_COUNTED", 2)
    hours = hours_until(NOW)
    row = make_sessions(1, NOW)[0]
    for hour in hours[:3]:
        make_revocation(row, NOW, state="done", settled_at=hour)
    Event.objects.create(at=hours[5], kind="refreshed")

    day = count_by_hour(hours)

    assert day.counts == {(hours[0], "revoked"): 1, (hours[1], "revoked"): 1, (hours[5], "refreshed"): 1}
    assert day.counted_until == hours[1]


def test_a_page_that_has_not_counted_everything_says_so(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts_module, "MOST_COUNTED", 1)

    assert "The worker counts the rest" in admin.get("/console/").content.decode()


def test_a_little_is_seen_beside_much() -> None:
    hours = hours_until(NOW)
    counts = {(hours[0], "refreshed"): 1, (hours[1], "refreshed"): 100_000}

    bars = charts(counts, hours)[1].bars

    assert 0 < bars[0].height < bars[1].height == 40
    assert bars[2].height == 0
    assert all(bar.y + bar.height == 40 for bar in bars)


def test_charts_say_the_same_as_a_table(admin: Browser) -> None:
    page = admin.get("/console/").content.decode()

    assert "Sign-ins, by hour: 1 in all, at most 1 in one hour" in page
    assert page.count('<th scope="row">') == 24
    assert "style=" not in page


def test_all_is_well_at_first(admin: Browser) -> None:
    assert alarms(admin) == {}


def test_what_needs_somebody_leads_to_exactly_that(admin: Browser, user: Browser, now: datetime) -> None:
    row = user.row
    failing = make_session(row.person, now, refresh_failures=1)
    late = make_revocation(row, now - timedelta(minutes=11))
    untold = make_revocation(row, now, attempts=1)
    make_revocation(row, now, state="done", attempts=1, settled_at=now)
    make_revocation(row, now - timedelta(minutes=9))
    given_up = make_revocation(row, now, state="given_up", settled_at=now)
    make_revocation(row, now, state="given_up", settled_at=now - timedelta(hours=25))
    reused = Event.objects.record(Event.Kind.REFRESH_REUSED, row, now=now)
    Event.objects.record(Event.Kind.REFRESH_REUSED, row, now=now - timedelta(hours=25))

    found = alarms(admin)

    rows = {title: admin.get(alarm.url).context["page"].rows for title, alarm in found.items()}
    assert {title: alarm.count for title, alarm in found.items()} == dict.fromkeys(rows, 1)
    assert rows == {
        "Refresh token reused": [reused],
        "Revocation failing": [untold],
        "Revocation late": [late],
        "Refresh failing": [failing],
        "Revocation given up": [given_up],
    }


def test_calls_that_go_unanswered_are_an_alarm_once_they_are_not_asked_any_more(admin: Browser) -> None:
    fail_calls(FAILURES_TO_OPEN - 1)
    before = alarms(admin)
    fail_calls(1)
    after = alarms(admin)

    assert before == {}
    assert after["Cognito does not answer"].count == FAILURES_TO_OPEN
    assert after["Cognito does not answer"].url == "/console/health/"


def test_that_all_is_well_is_said_only_while_it_is_true(admin: Browser, now: datetime) -> None:
    quiet = words(admin.get("/console/"))
    revocation = make_revocation(admin.row, now)
    under_way = words(admin.get("/console/"))
    revocation.postpone("ProviderUnavailableError: no answer in time", now)
    failing = words(admin.get("/console/"))

    assert "Cognito has been told of every end" in quiet
    assert "Cognito is being told of every end" in under_way
    assert "Tokens refresh" not in failing


def test_the_oldest_pending_revocation_is_shown(admin: Browser, now: datetime) -> None:
    make_revocation(admin.row, now - timedelta(hours=3))

    page = admin.get("/console/").content.decode()

    assert "3 hours ago" in page


def test_live_sessions_are_counted_by_health(admin: Browser, now: datetime) -> None:
    make_sessions(2, now, refresh_failures=1)
    make_session(admin.row.person, now, access_expires_at=now)

    counts = dict(admin.get("/console/").context["health_counts"])

    assert counts == {"fresh": 1, "refresh_due": 0, "refreshing": 0, "asleep": 1, "refresh_failing": 2}


def test_counting_stops_and_says_so(admin: Browser, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sessions(4, now, refresh_failures=1)
    monkeypatch.setattr(overview, "MOST_COUNTED", 3)
    monkeypatch.setattr(overview, "MOST_ALARMS", 2)

    page = admin.get("/console/").content.decode()

    assert "There are more than 3 sessions" in page
    assert "2+" in page
