"""What is found: searches, filters and their chips."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from accounts.ending import end_session
from accounts.models import EndReason, Event, Revocation, Session
from dashboard.console import filters, search, sessions
from dashboard.console.filters import REVOCATION_STATES
from tests.conftest import Browser
from tests.dashboard.console.support import make_person, make_revocation, make_session, make_sessions
from tests.dashboard.support import words


@pytest.fixture
def ana(now: datetime) -> Session:
    """A session like no other."""
    person = make_person("Ana.Lima", name="Ana Lima")
    person.groups.add(Group.objects.get_or_create(name="finance")[0])
    return make_session(
        person,
        now,
        started_at=now - timedelta(days=2),
        ip_address="2001:db8::7",
        browser="Mobile Safari 18",
        refresh_failures=2,
    )


def found(operator: Browser, path: str, **query: object) -> list[object]:
    response = operator.get(f"/console/{path}/", {name: str(value) for name, value in query.items()})
    assert response.status_code == 200
    return list(response.context["page"].rows)


@pytest.mark.parametrize(
    "query",
    [
        {"q": "ana.l"},
        {"q": " ANA.LIMA@example.com "},
        {"q": "2001:DB8:0::7"},
        {"q": "2001:db8::7%eth0"},
        {"health": "refresh_failing"},
        {"group": "finance"},
        {"browser": "Mobile Safari"},
        {"age": "1d"},
        {"q": "ana", "health": "refresh_failing", "group": "finance", "browser": "Mobile Safari", "age": "1h"},
    ],
)
def test_a_session_is_found_by_what_it_is(admin: Browser, ana: Session, query: dict[str, str]) -> None:
    assert found(admin, "sessions", **query) == [ana]


def test_a_session_is_found_by_its_id_and_by_whose_it_is(admin: Browser, ana: Session) -> None:
    for text in (ana.public_id, ana.user_id, ana.person.subject):
        assert found(admin, "sessions", q=text) == [ana]


@pytest.mark.parametrize(
    "query", [{"q": "lima"}, {"q": "%"}, {"q": "_na"}, {"age": "7d"}, {"q": "ana", "browser": "Edge"}]
)
def test_what_does_not_fit_is_not_found(admin: Browser, ana: Session, query: dict[str, str]) -> None:
    assert ana not in found(admin, "sessions", **query)


@pytest.mark.parametrize(
    "address",
    [
        *("sessions/?group=nope", "sessions/?health=x", "sessions/?age=y", "sessions/?browser=z", "sessions/?state=x"),
        *("sessions/?q=a%00", "sessions/?q=ana&sort=x", f"sessions/?state=flagged&q={'a' * 255}"),
        *("people/?q=a%00", "events/?session=abc", "events/?kind=x&since=1d", "revocations/?state=x"),
    ],
)
def test_a_filter_that_makes_no_sense_finds_nothing_and_says_so(
    admin: Browser, ana: Session, now: datetime, address: str
) -> None:
    make_revocation(ana, now)

    response = admin.get(f"/console/{address}")
    page = words(response)

    assert response.context["page"].rows == []
    assert "One of the filters makes no sense, so nothing is shown." in page
    assert "End selected" not in page
    assert 'aria-invalid="true"' in response.content.decode()


def test_what_is_wrong_with_a_filter_is_said_in_plain_words(admin: Browser) -> None:
    assert "This is no id." in words(admin.get("/console/events/?session=abc"))
    assert "There is no such choice." in words(admin.get("/console/sessions/?group=nope"))
    assert "This is too long." in words(admin.get(f"/console/people/?q={'a' * 255}"))


def test_a_group_beyond_those_offered_is_found_all_the_same(
    admin: Browser, ana: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "GROUPS_OFFERED", 1)

    assert found(admin, "sessions", group="finance") == [ana]
    assert found(admin, "sessions", group="no such group") == []
    assert found(admin, "sessions", group="\0") == []


def test_sessions_can_be_sorted_by_their_start(admin: Browser, ana: Session) -> None:
    assert found(admin, "sessions", sort="started")[-1] == ana


def test_each_filter_is_a_chip_that_leads_to_the_list_without_it(admin: Browser, ana: Session) -> None:
    response = admin.get("/console/sessions/?q=ana&browser=Mobile+Safari&after=x")

    chips = {chip.label: chip for chip in response.context["filters"].chips()}
    assert chips["Search"].without == "browser=Mobile+Safari"
    assert chips["Browser"].value == "Mobile Safari"
    assert chips["Browser"].without == "q=ana"


def test_searching_for_an_ended_session_says_that_it_has_ended(admin: Browser, ana: Session, now: datetime) -> None:
    end_session(ana, EndReason.IDLE, now=now)

    page = admin.get("/console/sessions/", {"q": str(ana.public_id)}).content.decode()

    assert "That session has ended" in page
    assert f"/console/sessions/{ana.public_id}/" in page


def test_lapsed_sessions_and_those_of_nobody_are_not_live(admin: Browser, ana: Session, now: datetime) -> None:
    Session.objects.filter(pk=ana.pk).update(expire_date=now)
    Session.objects.create(key_digest="0" * 64, expire_date=now + timedelta(hours=1))

    assert [row.public_id for row in found(admin, "sessions")] == [admin.row.public_id]  # type: ignore[attr-defined]


def test_people_are_found_by_the_beginning_of_their_address_and_by_id(admin: Browser, ana: Session) -> None:
    for text in ("ana.l", ana.user_id, ana.person.subject):
        assert found(admin, "people", q=text) == [ana.person]

    assert found(admin, "people", q="nobody") == []


def test_events_are_found_by_what_who_and_when(admin: Browser, ana: Session, now: datetime) -> None:
    event = Event.objects.record(Event.Kind.REFRESH_REUSED, ana, now=now - timedelta(hours=2), actor=admin.row.user)

    for query in (
        {"kind": "refresh_reused"},
        {"person": ana.user_id},
        {"person": "ANA.lima@example.com"},
        {"session": ana.public_id},
        {"actor": admin.row.user_id},
        {"actor": "admin@example.com"},
        {"kind": "refresh_reused", "since": "1d"},
    ):
        assert found(admin, "events", **query) == [event]
    assert event not in found(admin, "events", since="1h")


def test_revocations_are_found_by_state_and_age(admin: Browser, ana: Session, now: datetime) -> None:
    late = make_revocation(ana, now - timedelta(minutes=11))
    fresh = make_revocation(ana, now)
    given_up = make_revocation(ana, now - timedelta(days=3), state="given_up", settled_at=now - timedelta(days=2))
    done = make_revocation(ana, now - timedelta(hours=2), state="done", settled_at=now)

    assert found(admin, "revocations", state="pending") == [late, fresh]
    assert found(admin, "revocations", when="late") == [late]
    assert found(admin, "revocations", state="given_up") == [given_up]
    assert found(admin, "revocations", when="day") == [done]
    assert found(admin, "revocations") == [fresh, late, done, given_up]


@pytest.mark.parametrize("state", Revocation.State.values)
def test_a_state_is_called_the_same_in_the_filter_the_chip_and_the_badge(
    admin: Browser, ana: Session, now: datetime, state: str
) -> None:
    make_revocation(ana, now, state=state, settled_at=now)

    response = admin.get(f"/console/revocations/?state={state}")

    chip = next(response.context["filters"].chips())
    badge = response.content.decode().partition("<tbody")[2]
    assert f"</svg> {chip.value}</span>" in " ".join(badge.split())
    assert dict(REVOCATION_STATES)[Revocation.State(state)] == chip.value


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ProviderUnavailableError: timed out", "Cognito did not answer"),
        ("ThrottledError: TooManyRequestsException", "Too many calls"),
        ("UserPoolError: InvalidParameterException", "look at the app client"),
        ("SomethingNewError: x", "SomethingNewError: x"),
    ],
)
def test_the_last_error_is_said_in_words(admin: Browser, ana: Session, now: datetime, error: str, words: str) -> None:
    make_revocation(ana, now, attempts=3, last_error=error)

    assert words in admin.get("/console/revocations/").content.decode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("sessions/?q=nobody", "No live session fits"),
        ("people/?q=nobody", "look in the user pool"),
        ("events/?kind=revoked_many", "Nothing like that has happened"),
        ("revocations/", "When a session ends"),
    ],
)
def test_an_empty_list_says_what_to_do(admin: Browser, path: str, words: str) -> None:
    assert words in admin.get(f"/console/{path}").content.decode()


def test_no_revocation_is_pending_at_first(admin: Browser) -> None:
    assert not Revocation.objects.exists()
    assert "No revocation is pending" in admin.get("/console/").content.decode()


def test_a_search_that_means_many_people_shows_the_sessions_of_the_first(
    admin: Browser, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_PEOPLE", 2)
    rows = make_sessions(3, now)

    response = admin.get("/console/sessions/?q=person")

    assert response.context["page"].rows == rows[:2]
    assert "Here are the sessions of the first" in response.content.decode()


def test_a_group_of_many_is_found_as_one_of_few_is(
    admin: Browser, ana: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "MOST_PEOPLE", 0)

    assert found(admin, "sessions", group="finance") == [ana]


def test_the_sessions_of_an_address_are_listed_by_their_last_use(admin: Browser, ana: Session, now: datetime) -> None:
    other = make_session(make_person("other"), now, ip_address="2001:db8::7", last_seen_at=now - timedelta(hours=1))

    assert found(admin, "sessions", q="2001:db8::7", sort="started") == [ana, other]


def test_events_are_found_by_several_filters_at_once(admin: Browser, ana: Session, now: datetime) -> None:
    event = Event.objects.record(Event.Kind.REFRESH_REUSED, ana, now=now, actor=admin.row.user)
    Event.objects.record(Event.Kind.REFRESHED, ana, now=now, actor=admin.row.user)

    query = {"kind": "refresh_reused", "person": "ana.lima@example.com", "actor": "admin@example.com", "since": "1h"}
    assert found(admin, "events", **query) == [event]
    assert found(admin, "events", **query | {"session": admin.row.public_id}) == []
