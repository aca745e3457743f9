"""Acting takes a recent sign-in; looking does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Event, Revocation, Session
from tests.conftest import Browser
from tests.dashboard.console.support import make_revocation, make_session, make_sessions
from tests.dashboard.support import words

FORMS = ["console_session", "console_person", "console_revocation"]
ACTIONS = [
    "console_end_sessions",
    "console_end_session",
    "console_end_person",
    "console_sign_out_everywhere",
    "console_retry_revocation",
    "console_give_up_revocation",
]
# As far as it goes, every action has what it asks for.
ANSWERS = {"reason": "because", "here-reason": "because", "everywhere-reason": "because"}


@pytest.fixture
def address(user: Browser, now: datetime) -> Callable[[str], str]:
    """Return the address of a page or an action about the user."""
    row, revocation = user.row, make_revocation(user.row, now)
    about = {"revocation": revocation.pk, "person": row.user_id, "everywhere": row.user_id, "session": row.public_id}

    def address(name: str) -> str:
        arguments = [] if name == "console_end_sessions" else [next(pk for key, pk in about.items() if key in name)]
        return reverse(name, args=arguments)

    return address


@pytest.fixture
def stale(admin: Browser, now: datetime) -> Browser:
    """An operator who signed in more than an hour ago."""
    Session.objects.filter(pk=admin.row.pk).update(auth_time=now - timedelta(minutes=61))
    return admin


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_long_after_the_sign_in_does_nothing_but_ask(
    stale: Browser, address: Callable[[str], str], name: str
) -> None:
    def everything() -> list[object]:
        return [list(model.objects.order_by("pk").values()) for model in (Session, Revocation, Event)]

    url = address(name)
    before = everything()

    response = stale.post(url, ANSWERS | {"session": str(Session.objects.exclude(pk=stale.row.pk)[0].public_id)})

    assert response.status_code == 401
    assert "Nothing has been changed yet" in words(response)
    assert everything() == before


@pytest.mark.parametrize("name", FORMS)
def test_a_page_asks_before_anybody_types(stale: Browser, address: Callable[[str], str], name: str) -> None:
    page = stale.get(address(name)).content.decode()

    assert 'action="/reauthenticate/"' in page
    assert f'name="next" value="{address(name)}"' in page
    assert 'name="reason"' not in page
    assert "-reason" not in page


@pytest.mark.parametrize("name", FORMS)
def test_after_a_recent_sign_in_it_does_not(admin: Browser, address: Callable[[str], str], name: str) -> None:
    page = admin.get(address(name)).content.decode()

    assert 'action="/reauthenticate/"' not in page
    assert "reason" in page


def test_what_was_typed_is_offered_after_the_sign_in(stale: Browser, user: Browser) -> None:
    action = f"/console/sessions/{user.row.public_id}/revoke/"
    question = stale.post(action, ANSWERS)
    there = stale.post("/reauthenticate/", {"next": question.context["next_url"]})["Location"]
    back = stale.get(stale.pool.authorize(there, stale.person))

    offer = stale.get(stale.get(back["Location"])["Location"])

    assert "Send it now?" in words(offer)
    assert "because" in words(offer)
    assert offer.context["content"].path == action
    assert Session.objects.filter(user__subject=user.person.sub).exists()


def test_what_was_typed_is_offered_to_nobody_else(stale: Browser, user: Browser, outsider: Browser) -> None:
    question = stale.post(f"/console/sessions/{user.row.public_id}/revoke/", ANSWERS)
    there = stale.post("/reauthenticate/", {"next": question.context["next_url"]})["Location"]

    back = stale.get(stale.pool.authorize(there, outsider.person))

    assert "Somebody else signed in" in words(stale.get(back["Location"]))
    assert stale.get(question.context["next_url"]).status_code == 404


def test_a_refused_button_leads_back_to_its_page(stale: Browser, address: Callable[[str], str]) -> None:
    page = "http://testserver/console/revocations/"

    response = stale.post(address("console_retry_revocation"), headers={"referer": page})

    assert response.context["next_url"] == page


def test_a_whole_page_of_selected_sessions_survives_the_round_trip(stale: Browser, now: datetime) -> None:
    chosen = [str(row.public_id) for row in make_sessions(50, now)]
    question = stale.get("/console/sessions/end/", {"session": chosen, "list": "browser=Firefox&health=fresh"})
    assert 'name="reason"' not in question.content.decode()

    there = stale.post("/reauthenticate/", {"next": question.context["address"]})["Location"]
    back = stale.get(stale.pool.authorize(there, stale.person))
    page = stale.get(stale.get(back["Location"])["Location"])

    assert [str(row.public_id) for row in page.context["sessions"]] == chosen
    assert page.context["the_list"] == "/console/sessions/?health=fresh&browser=Firefox"
    assert 'name="reason"' in page.content.decode()


def test_looking_takes_no_recent_sign_in(stale: Browser, now: datetime) -> None:
    make_session(stale.row.person, now)

    assert stale.get("/console/sessions/").status_code == 200
    assert stale.get("/console/sessions.csv").status_code == 200


def test_zero_seconds_ask_nobody(stale: Browser, user: Browser, settings: Settings) -> None:
    settings.COGNITO_REAUTHENTICATE_SECONDS = 0

    response = stale.post(f"/console/sessions/{user.row.public_id}/revoke/", ANSWERS)

    assert response.status_code == 302
    assert not Session.objects.filter(user__subject=user.person.sub).exists()


def test_who_may_not_act_is_refused_rather_than_asked(
    viewer: Browser, address: Callable[[str], str], now: datetime
) -> None:
    Session.objects.filter(pk=viewer.row.pk).update(auth_time=now - timedelta(days=1))

    assert viewer.post(address("console_end_session"), ANSWERS).status_code == 403
    assert 'action="/reauthenticate/"' not in viewer.get(address("console_session")).content.decode()
