"""What operators do: it takes effect, asks why, and is on the record."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import EndedSession, EndReason, Event, Revocation, Session
from tests.attacks.support import everything
from tests.conftest import Browser
from tests.dashboard.console.support import flag, make_revocation, make_session, make_sessions
from tests.dashboard.support import words
from tests.fake_user_pool import Failure, FakeUserPool

INPUT = re.compile('name="list" value="([^"]*)"')
ACTION = re.compile('method="post" action="/console([^"]+/end/[^"]*)"')

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Settings) -> None:
    """Trust the test client's address as that of a proxy, whose request id is kept."""
    settings.TRUSTED_PROXIES = ["127.0.0.1"]


def act(browser: Browser, path: str, **data: Any) -> Any:
    slash = "" if "?" in path else "/"
    return browser.post(f"/console/{path}{slash}", data, headers={"X-Request-ID": "three-in-the-morning"})


def on_record(kind: Event.Kind, reason: str) -> Event:
    """Return the only event of its kind, which must say who did it, why, and in which request."""
    event: Event = Event.objects.get(kind=kind)
    assert event.actor is not None
    assert event.actor.email == "admin@example.com"
    assert reason in event.detail
    assert event.request_id == "three-in-the-morning"
    return event


def test_ending_a_session_refuses_it_and_tells_cognito(admin: Browser, user: Browser, pool: FakeUserPool) -> None:
    row = user.row

    response = act(admin, f"sessions/{row.public_id}/revoke", reason="stolen laptop")

    assert response["Location"] == f"/console/sessions/{row.public_id}/"
    assert user.get("/sessions/").status_code == 401
    assert EndedSession.objects.get().reason == EndReason.OPERATOR
    assert pool.calls.count("RevokeToken") == 1
    assert on_record(Event.Kind.ENDED, "stolen laptop").session_id == row.public_id


@pytest.mark.parametrize(
    "forged", ["lost\n2030-01-01 INFO ended", "a\rb", "a\x1b[31m", "a\x85b", "a\u2028b", "a\u202eb", "a\tb"]
)
def test_a_reason_is_one_line(admin: Browser, user: Browser, forged: str) -> None:
    row, revocation = user.row, make_revocation(user.row, timezone.now())
    before = everything()

    responses = [
        act(admin, f"sessions/{row.public_id}/revoke", reason=forged),
        act(admin, f"sessions/{row.public_id}/settle", reason=forged),
        act(admin, "sessions/end", reason=forged, session=str(row.public_id)),
        act(admin, f"people/{row.user_id}/end", **{"here-reason": forged}),
        act(admin, f"people/{row.user_id}/sign-out-everywhere", **{"everywhere-reason": forged}),
        act(admin, f"revocations/{revocation.pk}/retry", **{"retry-reason": forged}),
        act(admin, f"revocations/{revocation.pk}/give-up", **{"give_up-reason": forged}),
    ]

    assert [response.status_code for response in responses] == [422] * 7
    assert all("Write it in one line" in response.content.decode() for response in responses)
    assert everything() == before


def test_a_reason_may_be_in_any_language(admin: Browser, user: Browser) -> None:
    reason = "Größe\u00a0\u2013 \u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f4bb"

    act(admin, f"sessions/{user.row.public_id}/revoke", reason=f" {reason}\n")

    assert on_record(Event.Kind.ENDED, reason).detail == reason


def test_an_ended_session_still_has_its_page_and_what_happened(admin: Browser, user: Browser) -> None:
    row = user.row
    act(admin, f"sessions/{row.public_id}/revoke", reason="stolen laptop")

    page = admin.get(f"/console/sessions/{row.public_id}/").content.decode()

    assert "Ended by an operator" in page
    assert "stolen laptop" in page
    assert "three-in-the-morning" in page
    assert "End this session" not in page


@pytest.mark.parametrize("reason", ["", "   ", "x" * 151])
def test_nothing_ends_without_a_reason(admin: Browser, user: Browser, reason: str) -> None:
    response = act(admin, f"sessions/{user.row.public_id}/revoke", reason=reason)

    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert user.get("/sessions/").status_code == 200


def test_ending_a_session_twice_says_so_and_records_it_once(admin: Browser, user: Browser) -> None:
    path = f"sessions/{user.row.public_id}/revoke"
    act(admin, path, reason="once")

    response = act(admin, path, reason="twice")

    assert response.status_code == 302
    on_record(Event.Kind.ENDED, "once")


def test_the_console_says_when_cognito_could_not_be_told(admin: Browser, user: Browser, pool: FakeUserPool) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)

    response = admin.post(f"/console/sessions/{user.row.public_id}/revoke/", {"reason": "x"}, follow=True)

    assert "Cognito could not be told yet" in response.content.decode()


def test_selected_sessions_are_shown_before_they_end(admin: Browser, now: datetime) -> None:
    rows = make_sessions(3, now)

    response = admin.get("/console/sessions/end/", {"session": [str(row.public_id) for row in rows[:2]]})

    assert set(response.context["sessions"]) == set(rows[:2])
    assert "Type 2 to confirm" in response.content.decode()
    assert Session.objects.count() == 4


@pytest.mark.parametrize(
    "answer", [{}, {"confirmation": "3"}, {"confirmation": "yes"}, {"confirmation": "2", "reason": ""}]
)
def test_several_sessions_end_only_with_a_reason_and_their_number(
    admin: Browser, now: datetime, answer: dict[str, str]
) -> None:
    rows = make_sessions(3, now)

    response = act(
        admin, "sessions/end", **({"reason": "why"} | answer), session=[rows[0].public_id, rows[1].public_id]
    )

    assert response.status_code == 422
    assert Session.objects.count() == 4


def test_selected_sessions_end_together_each_on_record(admin: Browser, now: datetime) -> None:
    rows = make_sessions(3, now)

    act(admin, "sessions/end", reason="raid", confirmation="2", session=[rows[0].public_id, rows[1].public_id])

    assert set(Session.objects.values_list("pk", flat=True)) == {rows[2].pk, admin.row.pk}
    ended = Event.objects.filter(kind=Event.Kind.ENDED, detail="raid", request_id="three-in-the-morning")
    assert {event.session_id for event in ended} == {rows[0].public_id, rows[1].public_id}
    assert {event.actor_id for event in ended} == {admin.row.user_id}


def test_the_number_must_fit_what_is_left_when_one_ends_meanwhile(admin: Browser, now: datetime) -> None:
    rows = make_sessions(3, now)
    rows[0].delete()

    response = act(admin, "sessions/end", reason="raid", confirmation="3", session=[row.public_id for row in rows])

    assert response.status_code == 422
    assert Session.objects.filter(pk=rows[1].pk).exists()


@pytest.mark.parametrize("selected", [[], ["nonsense"], ["53a18499-9b10-445f-aa8e-57994de69996"]])
def test_ending_none_leads_back_to_the_list(admin: Browser, selected: list[str]) -> None:
    page = admin.get("/console/sessions/end/", {"session": selected}).content.decode()

    assert "No session is selected" in page
    assert 'href="/console/sessions/"' in page


def test_a_second_click_leads_back_to_the_list_with_what_the_first_one_did(admin: Browser, now: datetime) -> None:
    answer = {"session": str(make_sessions(1, now)[0].public_id), "reason": "raid"}
    admin.post("/console/sessions/end/?list=browser%3DFirefox", answer)

    second = admin.post("/console/sessions/end/?list=browser%3DFirefox", answer, follow=True)

    assert second.redirect_chain == [("/console/sessions/?browser=Firefox", 302)]
    assert "1 session has ended." in words(second)
    assert "Those you selected have all ended meanwhile." in words(second)


def test_the_filters_of_the_list_are_still_there_after_ending_some(admin: Browser, now: datetime) -> None:
    row = make_sessions(1, now)[0]
    the_list = "/console/sessions/?browser=Firefox&group="
    there = INPUT.search(admin.get(f"{the_list}&select=page").content.decode())
    assert there is not None

    question = admin.get("/console/sessions/end/", {"session": str(row.public_id), "list": unescape(there[1])})
    action = ACTION.search(question.content.decode())
    assert action is not None
    done = act(admin, unescape(action[1]).strip("/"), reason="raid", session=str(row.public_id))

    assert 'href="/console/sessions/?browser=Firefox"' in question.content.decode()
    assert done["Location"] == "/console/sessions/?browser=Firefox"


@pytest.mark.parametrize(
    "query", ["//evil.example", "https://evil.example/", "x=1\r\nSet-Cookie: a=b", "next=//evil.example", "q=", "&=&"]
)
def test_nothing_but_filters_leads_back_to_the_list(admin: Browser, query: str) -> None:
    page = admin.get("/console/sessions/end/", {"list": query}).content.decode()

    assert 'class="button primary" href="/console/sessions/"' in page


def test_the_first_field_that_needs_an_answer_has_the_focus(admin: Browser, now: datetime) -> None:
    chosen = [row.public_id for row in make_sessions(2, now)]

    page = act(admin, "sessions/end", session=chosen, reason="raid", confirmation="7").content.decode()

    assert page.count("autofocus") == 1
    assert re.search(r'<input[^>]*name="confirmation"[^>]* autofocus', page)


def test_ending_all_of_a_person_leaves_their_other_apps(admin: Browser, user: Browser, pool: FakeUserPool) -> None:
    person = user.row.user_id

    act(admin, f"people/{person}/end", **{"here-reason": "left the company"})

    assert user.get("/sessions/").status_code == 401
    assert (pool.calls.count("RevokeToken"), pool.calls.count("GlobalSignOut")) == (1, 0)
    assert on_record(Event.Kind.ENDED, "left the company").user_id == person


def test_signing_out_everywhere_asks_cognito_with_the_newest_token(
    admin: Browser, user: Browser, now: datetime, pool: FakeUserPool
) -> None:
    first, person = user.row, user.row.user_id
    Session.objects.filter(pk=first.pk).update(access_expires_at=now)
    Browser(pool, user.person).sign_in()

    act(
        admin,
        f"people/{person}/sign-out-everywhere",
        **{"everywhere-reason": "left the company", "everywhere-confirmation": "2"},
    )

    assert pool.calls.count("GlobalSignOut") == 1
    assert not Session.objects.filter(user=person).exists()
    assert set(Revocation.objects.values_list("state", flat=True)) == {"done"}
    newest = EndedSession.objects.get(revocation__kind=Revocation.Kind.GLOBAL)
    assert newest.public_id != first.public_id


def said_after_signing_out_everywhere(admin: Browser, user: Browser) -> str:
    path = f"/console/people/{user.row.user_id}/sign-out-everywhere/"
    return words(admin.post(path, {"everywhere-reason": "left the company"}, follow=True))


def test_a_sign_out_everywhere_with_a_token_says_that_cognito_has_done_it(admin: Browser, user: Browser) -> None:
    said = said_after_signing_out_everywhere(admin, user)

    assert "1 session has ended." in said
    assert "Cognito has signed them out of every app." in said


def test_a_sign_out_everywhere_that_cognito_could_not_be_told_says_so(
    admin: Browser, user: Browser, pool: FakeUserPool
) -> None:
    pool.fail("GlobalSignOut", Failure.UNAVAILABLE)

    said = said_after_signing_out_everywhere(admin, user)

    assert "1 session has ended." in said
    assert "Cognito could not be told yet. It is tried again by itself" in said
    assert "signed them out of every app" not in said


def test_a_sign_out_everywhere_whose_token_is_refused_does_not_claim_other_apps(
    admin: Browser, user: Browser, pool: FakeUserPool
) -> None:
    pool.fail("GlobalSignOut", "NotAuthorizedException")

    said = said_after_signing_out_everywhere(admin, user)

    assert "they may still be signed in there" in said
    assert "signed them out of every app" not in said


@pytest.mark.parametrize(("path", "prefix"), [("end", "here"), ("sign-out-everywhere", "everywhere")])
def test_ending_several_of_a_person_asks_for_their_number(
    admin: Browser, user: Browser, now: datetime, path: str, prefix: str
) -> None:
    row = user.row
    make_session(row.person, now)

    response = act(admin, f"people/{row.user_id}/{path}", **{f"{prefix}-reason": "why"})

    assert response.status_code == 422
    assert Session.objects.filter(user=row.user_id).count() == 2


def test_a_retry_tells_cognito_at_once(admin: Browser, user: Browser, now: datetime, pool: FakeUserPool) -> None:
    revocation = make_revocation(user.row, now, attempts=9, due_at=now.replace(year=now.year + 1))

    act(admin, f"revocations/{revocation.pk}/retry", **{"retry-reason": "the outage is over"})

    revocation.refresh_from_db()
    assert revocation.state == Revocation.State.DONE
    assert pool.calls.count("RevokeToken") == 1
    assert str(revocation.pk) in on_record(Event.Kind.REVOCATION_RETRIED, "the outage is over").detail


def test_a_retry_needs_a_reason_and_keeps_what_was_typed(
    admin: Browser, user: Browser, now: datetime, pool: FakeUserPool
) -> None:
    revocation = make_revocation(user.row, now)

    empty = act(admin, f"revocations/{revocation.pk}/retry")
    too_long = act(admin, f"revocations/{revocation.pk}/retry", **{"retry-reason": "x" * 151})

    assert (empty.status_code, too_long.status_code) == (422, 422)
    assert "x" * 151 in too_long.content.decode()
    assert pool.calls.count("RevokeToken") == 0
    assert not Event.objects.filter(kind=Event.Kind.REVOCATION_RETRIED).exists()


def test_the_page_of_a_revocation_shows_who_did_what_about_it_and_why(
    admin: Browser, user: Browser, now: datetime, pool: FakeUserPool
) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)
    revocation, other = make_revocation(user.row, now), make_revocation(user.row, now)
    act(admin, f"revocations/{revocation.pk}/retry", **{"retry-reason": "the outage is over"})
    act(admin, f"revocations/{other.pk}/retry", **{"retry-reason": "about another one"})

    page = words(admin.get(f"/console/revocations/{revocation.pk}/"))

    assert "the outage is over" in page
    assert "By admin@example.com" in page
    assert "three-in-the-morning" in page
    assert "about another one" not in page


def test_a_retry_that_fails_leaves_it_to_the_worker(
    admin: Browser, user: Browser, now: datetime, pool: FakeUserPool
) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)
    revocation = make_revocation(user.row, now)

    response = admin.post(f"/console/revocations/{revocation.pk}/retry/", {"retry-reason": "again"}, follow=True)

    assert "could not be told this time either" in response.content.decode()
    assert Revocation.objects.get().attempts == 1


def test_a_retry_leaves_alone_what_a_worker_is_at(
    admin: Browser, user: Browser, now: datetime, pool: FakeUserPool
) -> None:
    revocation = make_revocation(user.row, now, claimed_until=now + Revocation.CLAIM)

    act(admin, f"revocations/{revocation.pk}/retry", **{"retry-reason": "the outage is over"})

    assert pool.calls.count("RevokeToken") == 0
    assert Revocation.objects.get().is_pending


def test_giving_up_needs_a_reason_and_erases_the_tokens(admin: Browser, user: Browser, now: datetime) -> None:
    revocation = make_revocation(user.row, now)
    path = f"revocations/{revocation.pk}/give-up"

    refused = act(admin, path, **{"give_up-reason": ""})
    act(admin, path, **{"give_up-reason": "pool deleted"})

    assert refused.status_code == 422
    revocation.refresh_from_db()
    assert (revocation.state, revocation.sealed) == (Revocation.State.GIVEN_UP, "")
    on_record(Event.Kind.REVOCATION_GIVEN_UP, "pool deleted")


def test_what_is_settled_is_not_given_up(admin: Browser, user: Browser, now: datetime) -> None:
    revocation = make_revocation(user.row, now, state="done", settled_at=now)

    act(admin, f"revocations/{revocation.pk}/give-up", **{"give_up-reason": "too late"})

    revocation.refresh_from_db()
    assert revocation.state == Revocation.State.DONE
    assert not Event.objects.filter(kind=Event.Kind.REVOCATION_GIVEN_UP).exists()


@pytest.mark.parametrize(
    ("path", "twin"),
    [
        ("sessions/", "manage.py sessions list"),
        ("sessions/?state=flagged", "manage.py sessions flagged"),
        ("sessions/{session}/", "manage.py sessions revoke {session}"),
        ("sessions/{flagged}/", "manage.py sessions settle {flagged}"),
        ("people/", "manage.py sessions list --user"),
        ("people/{person}/", "admin-get-user"),
        ("events/", "manage.py sessions show"),
        ("revocations/", "manage.py revocations list"),
        ("health/", "manage.py sweep"),
        ("people/{person}/", "manage.py sessions revoke-user {person}"),
        ("people/{person}/", "manage.py sessions revoke-all --user {person}"),
        ("revocations/{revocation}/", "manage.py revocations retry {revocation}"),
        ("revocations/{revocation}/", "manage.py revocations give-up {revocation}"),
    ],
)
def test_a_page_names_the_command_that_does_the_same(
    admin: Browser, user: Browser, now: datetime, path: str, twin: str
) -> None:
    row = user.row
    names = {
        "session": row.public_id,
        "person": row.user_id,
        "revocation": make_revocation(row, now).pk,
        "flagged": flag(make_session(row.person, now), now).pk,
    }

    assert twin.format(**names) in words(admin.get("/console/" + path.format(**names)))


def test_no_line_ends_within_an_option_of_a_command(admin: Browser, user: Browser) -> None:
    page = admin.get(f"/console/sessions/{user.row.public_id}/").content.decode()

    assert f"{user.row.public_id} <span>--reason</span> <span>&quot;…&quot;</span></code>" in page
