"""Sessions that their owners did not recognise, from the alarm to the settlement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import EndedSession, Event
from tests.conftest import Browser
from tests.dashboard.console.support import flag, make_session, make_sessions
from tests.dashboard.support import words

pytestmark = pytest.mark.django_db(transaction=True)
FLAGGED = "/console/sessions/?state=flagged"


@pytest.fixture
def flagged(user: Browser, now: datetime) -> EndedSession:
    return flag(make_session(user.row.person, now, ip_address="198.51.100.7"), now)


def settle(browser: Browser, flagged: EndedSession, reason: str = "her new phone") -> Any:
    return browser.post(f"/console/sessions/{flagged.pk}/settle/", {"reason": reason}, follow=True)


def test_the_overview_calls_for_somebody_until_the_flag_is_settled(admin: Browser, flagged: EndedSession) -> None:
    calling = admin.get("/console/")
    settle(admin, flagged)
    content = admin.get("/console/")

    assert 'href="/console/sessions/?state=flagged"' in calling.content.decode()
    assert "Not recognised by their owners" in words(calling)
    assert "Not recognised by their owners" not in words(content)


def test_the_list_has_the_flagged_ones_only_the_longest_waiting_first(
    admin: Browser, flagged: EndedSession, now: datetime
) -> None:
    later = [flag(row, now.replace(year=now.year + 1)) for row in make_sessions(2, now)]
    EndedSession.objects.create(
        public_id="53a18499-9b10-445f-aa8e-57994de69996",
        key_digest="0" * 64,
        user=flagged.user,
        reason="idle",
        started_at=now,
        last_seen_at=now,
    )

    rows = admin.get(FLAGGED).context["page"].rows

    assert rows[0] == flagged
    assert set(rows) == {flagged, *later}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("user@", True), ("198.51.100.7", True), ("198.51.100.7%eth0", True), ("nobody@", False), ("203.0.113.99", False)],
)
def test_flagged_sessions_are_searched_like_live_ones(
    admin: Browser, flagged: EndedSession, text: str, is_found: bool
) -> None:
    page = admin.get("/console/sessions/", {"state": "flagged", "q": text}).context["page"]

    assert (flagged in page.rows) == is_found


def test_the_state_is_a_filter_among_the_others(admin: Browser, flagged: EndedSession) -> None:
    live, over = admin.get("/console/sessions/"), admin.get(FLAGGED)

    assert 'name="state"' in live.content.decode()
    assert [str(chip.value) for chip in over.context["filters"].chips()] == ["Not recognised"]


def test_the_flagged_ones_go_into_a_file(admin: Browser, flagged: EndedSession) -> None:
    response: Any = admin.get("/console/sessions.csv?state=flagged")
    header, *lines = b"".join(response.streaming_content).decode().splitlines()

    assert header.startswith('"session","person","email"')
    assert len(lines) == 1
    assert str(flagged.pk) in lines[0]


def test_its_page_says_who_flagged_it_and_then_who_settled_it_and_why(admin: Browser, flagged: EndedSession) -> None:
    path = f"/console/sessions/{flagged.pk}/"

    waiting = words(admin.get(path))
    settle(admin, flagged)
    settled = words(admin.get(path))

    assert "Not recognised by its owner. user@example.com said so" in waiting
    assert "Nobody has looked into it yet" in waiting
    assert "by admin@example.com : her new phone" in settled
    assert "Settle the flag" not in settled


def test_settling_is_on_record_with_actor_reason_and_request(
    admin: Browser, flagged: EndedSession, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]

    admin.post(
        f"/console/sessions/{flagged.pk}/settle/",
        {"reason": "her new phone"},
        headers={"X-Request-ID": "three-in-the-morning"},
    )

    event = Event.objects.get(kind=Event.Kind.FLAG_SETTLED)
    assert (event.session_id, event.user_id) == (flagged.pk, flagged.user_id)
    assert (event.actor_id, event.detail) == (admin.row.user_id, "her new phone")
    assert event.request_id == "three-in-the-morning"


def test_settling_twice_changes_nothing_and_says_so(admin: Browser, flagged: EndedSession) -> None:
    settle(admin, flagged, "once")

    assert "There is nothing to settle" in words(settle(admin, flagged, "twice"))

    assert Event.objects.get(kind=Event.Kind.FLAG_SETTLED).detail == "once"


@pytest.mark.parametrize("reason", ["", " ", "x" * 151])
def test_settling_needs_a_reason_and_keeps_what_was_typed(admin: Browser, flagged: EndedSession, reason: str) -> None:
    response = settle(admin, flagged, reason)

    assert response.status_code == 422
    assert reason.strip() in response.content.decode()
    assert EndedSession.objects.flagged().exists()


def test_a_live_session_has_no_flag_to_settle(admin: Browser, user: Browser) -> None:
    response = admin.post(f"/console/sessions/{user.row.public_id}/settle/", {"reason": "x"})

    assert response.status_code == 404


def test_what_was_flagged_and_settled_is_among_the_events(admin: Browser, flagged: EndedSession) -> None:
    settle(admin, flagged)

    for kind in (Event.Kind.NOT_RECOGNISED, Event.Kind.FLAG_SETTLED):
        rows = admin.get(f"/console/events/?kind={kind}").context["page"].rows
        lines: Any = admin.get(f"/console/events.jsonl?kind={kind}")
        assert [event.session_id for event in rows] == [flagged.pk]
        assert str(flagged.pk) in b"".join(lines.streaming_content).decode()
