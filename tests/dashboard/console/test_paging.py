from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from accounts.models import Event, Session
from dashboard import paging
from dashboard.paging import Keyset
from tests.conftest import Browser
from tests.dashboard.console.support import make_session, make_sessions

pytestmark = pytest.mark.django_db
LAST_SEEN = Keyset("last_seen_at", "public_id")


def walk(keyset: Keyset, size: int) -> list[UUID]:
    """Return the public ids of all pages, one page after the other."""
    found: list[UUID] = []
    cursor = ""
    while True:
        page = keyset.page(Session.objects.all(), cursor, size)
        found += [row.public_id for row in page.rows]
        if not page.next_cursor:
            return found
        cursor = page.next_cursor


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_hold_every_row_once_though_times_are_equal(now: datetime, size: int) -> None:
    rows = make_sessions(7, now)
    Session.objects.filter(pk__in=[row.pk for row in rows[1:6]]).update(last_seen_at=now - timedelta(minutes=1))

    found = walk(LAST_SEEN, size)

    assert found == list(LAST_SEEN.ordered(Session.objects.all()).values_list("public_id", flat=True))
    assert len(set(found)) == 7


def test_pages_go_up_as_well_as_down(now: datetime) -> None:
    make_sessions(5, now)

    up = walk(Keyset("last_seen_at", "public_id", descending=False), 2)

    assert up == walk(LAST_SEEN, 2)[::-1]


def test_a_session_that_comes_meanwhile_moves_none_to_another_page(now: datetime) -> None:
    rows = make_sessions(4, now)
    first = LAST_SEEN.page(Session.objects.all(), "", 2)

    newcomer = make_session(rows[0].person, now + timedelta(seconds=1), last_seen_at=now + timedelta(seconds=1))
    second = LAST_SEEN.page(Session.objects.all(), first.next_cursor, 2)

    assert [row.public_id for row in [*first.rows, *second.rows]] == [row.public_id for row in rows]
    assert newcomer.public_id not in {row.public_id for row in second.rows}


def test_a_session_that_ends_meanwhile_takes_none_with_it(now: datetime) -> None:
    rows = make_sessions(4, now)
    first = LAST_SEEN.page(Session.objects.all(), "", 2)

    Session.objects.filter(public_id=rows[1].public_id).delete()
    second = LAST_SEEN.page(Session.objects.all(), first.next_cursor, 2)

    assert [row.public_id for row in second.rows] == [rows[2].public_id, rows[3].public_id]


def test_a_full_last_page_leads_nowhere(now: datetime) -> None:
    make_sessions(2, now)

    assert LAST_SEEN.page(Session.objects.all(), "", 2).next_cursor == ""


@pytest.mark.parametrize("cursor", ["nonsense", "~", "2026-01-01T00:00:00+00:00~", "2026-01-01~x' OR 1=1 --", "\x00~1"])
@pytest.mark.parametrize("path", ["sessions", "people", "events", "revocations"])
def test_a_made_up_cursor_leads_to_the_first_page(admin: Browser, path: str, cursor: str) -> None:
    response = admin.get(f"/console/{path}/", {"after": cursor})

    assert response.status_code == 200
    assert response.context["page"].is_first


def test_the_list_leads_to_its_next_page_and_keeps_the_filters(admin: Browser, now: datetime) -> None:
    make_sessions(60, now)

    first = admin.get("/console/sessions/?browser=Firefox")
    second = admin.get("/console/sessions/", {"browser": "Firefox", "after": first.context["page"].next_cursor})

    assert len(first.context["page"].rows) == 50
    assert len(second.context["page"].rows) == 10
    assert "browser=Firefox&amp;after=" in first.content.decode()
    assert "This is the last page" in second.content.decode()


def test_events_of_one_moment_are_paged_by_their_number(admin: Browser, now: datetime) -> None:
    Event.objects.all().delete()
    Event.objects.bulk_create(Event(at=now, kind=Event.Kind.REFRESHED, detail=str(number)) for number in range(60))

    first = admin.get("/console/events/").context["page"]
    second = admin.get("/console/events/", {"after": first.next_cursor}).context["page"]

    assert [int(event.detail) for event in [*first.rows, *second.rows]] == list(range(60))[::-1]


def test_a_page_looks_through_so_many_rows_and_leads_on_from_there(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 3)
    rows = make_sessions(7, now)
    Session.objects.filter(pk=rows[5].pk).update(browser="Opera 115")
    every, opera = Session.objects.all(), Session.objects.filter(browser__startswith="Opera")

    first = LAST_SEEN.page(opera, "", among=every)
    second = LAST_SEEN.page(opera, first.next_cursor, among=every)
    third = LAST_SEEN.page(opera, second.next_cursor, among=every)

    assert [page.rows for page in (first, second, third)] == [[], [rows[5]], []]
    assert [page.looked_at for page in (first, second, third)] == [3, 3, 0]
    assert third.next_cursor == ""


@pytest.mark.parametrize("most", [1, 2, 3, 7, 8])
def test_looking_further_finds_every_row_once(now: datetime, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", most)
    monkeypatch.setattr(paging, "CHUNK", 2)
    rows = make_sessions(7, now)
    Session.objects.filter(pk__in=[row.pk for row in rows[1:6]]).update(last_seen_at=now - timedelta(minutes=1))

    found = list(
        LAST_SEEN.walk(Session.objects.filter(pk__in=[row.pk for row in rows[::2]]), among=Session.objects.all())
    )

    assert sorted(row.pk for row in found) == sorted(row.pk for row in rows[::2])


def test_the_list_says_that_it_has_not_looked_at_everything(
    admin: Browser, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Their own session comes first.
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 4)
    rows = make_sessions(7, now)
    Session.objects.filter(pk=rows[5].pk).update(browser="Opera 115")

    first = admin.get("/console/sessions/?browser=Opera")
    second = admin.get("/console/sessions/", {"browser": "Opera", "after": first.context["page"].next_cursor})

    assert "Looked through 4 entries of this list: 0 fit." in first.content.decode()
    assert "Look further" in first.content.decode()
    assert "Nothing that fits so far." in first.content.decode()
    assert second.context["page"].rows == [rows[5]]
