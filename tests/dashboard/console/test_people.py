"""The page of one person: what is theirs, told apart."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import Event
from dashboard.console import people
from tests.conftest import Browser
from tests.dashboard.console.support import make_session
from tests.dashboard.support import end_many, words


def test_each_line_of_what_happened_says_in_which_session_it_did(admin: Browser, user: Browser, now: datetime) -> None:
    row = user.row
    other = make_session(row.person, now, ip_address="198.51.100.9")
    Event.objects.record(Event.Kind.REFRESHED, other, now=now)

    page = admin.get(f"/console/people/{row.user_id}/").content.decode()
    timeline = page.partition("What happened")[2]

    for session in (row, other):
        assert f'<a href="/console/sessions/{session.public_id}/">Session {str(session.public_id)[:8]}</a>' in timeline
    assert "198.51.100.9" in timeline


def test_the_page_of_a_session_does_not_link_to_itself(admin: Browser, user: Browser) -> None:
    page = admin.get(f"/console/sessions/{user.row.public_id}/").content.decode()

    assert "What happened" in page
    assert f'href="/console/sessions/{user.row.public_id}/"' not in page


def test_ended_sessions_beyond_those_shown_are_a_click_away(
    admin: Browser, user: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = user.row.person
    monkeypatch.setattr(people, "ENDED_SHOWN", 2)
    end_many(person, 2)
    all_shown = admin.get(f"/console/people/{person.pk}/")
    end_many(person, 1)
    cut_short = admin.get(f"/console/people/{person.pk}/")

    assert "The last 2." not in words(all_shown)
    assert "The last 2. All that have ended" in words(cut_short)
    assert f"/console/events/?kind=ended&amp;person={person.pk}" in cut_short.content.decode()


def test_operators_are_told_that_their_own_session_is_among_those_that_end(admin: Browser, user: Browser) -> None:
    mine = words(admin.get(f"/console/people/{admin.row.user_id}/"))
    theirs = words(admin.get(f"/console/people/{user.row.user_id}/"))

    assert mine.count("This is you: the session you are using ends, too.") == 2
    assert "This is you" not in theirs


def test_a_probe_that_is_due_waits_for_the_next_request(admin: Browser, user: Browser, now: datetime) -> None:
    person = user.row.person
    due = make_session(person, now, probe_due_at=now - timedelta(minutes=2))
    later = make_session(person, now, probe_due_at=now + timedelta(minutes=2))

    assert "Next probe Due with its next request" in words(admin.get(f"/console/sessions/{due.public_id}/"))
    assert "or with the first request after that" in words(admin.get(f"/console/sessions/{later.public_id}/"))
