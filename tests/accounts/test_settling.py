"""What becomes of a session that its owner did not recognise: an operator looks into it, once, and says what it was."""

from __future__ import annotations

import json
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.flagging import flag_session, settle_flag
from accounts.models import EndedSession, Event
from tests.accounts.support import utc_now
from tests.conftest import Browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def flagged(user: Browser) -> EndedSession:
    row = user.row
    flag_session(row.person, row.public_id, utc_now())
    return EndedSession.objects.get(pk=row.public_id)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("sessions", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_settling_closes_the_flag_and_says_who_and_why(flagged: EndedSession, admin: Browser) -> None:
    operator = admin.row.person

    assert settle_flag(flagged, "it was her new phone", utc_now(), actor=operator)

    flagged.refresh_from_db()
    assert not flagged.is_flagged
    event = Event.objects.get(kind=Event.Kind.FLAG_SETTLED)
    assert (event.session_id, event.user_id, event.actor_id) == (flagged.pk, flagged.user_id, operator.pk)
    assert event.detail == "it was her new phone"


def test_a_flag_is_settled_once(flagged: EndedSession) -> None:
    settle_flag(flagged, "once", utc_now())

    assert not settle_flag(flagged, "twice", utc_now())

    assert Event.objects.get(kind=Event.Kind.FLAG_SETTLED).detail == "once"


def test_the_command_lists_what_is_flagged(flagged: EndedSession, admin: Browser) -> None:
    listed = [json.loads(line) for line in run("flagged", "--json").splitlines()]

    assert [(record["session"], record["person"]) for record in listed] == [(str(flagged.pk), "user@example.com")]
    assert listed[0]["flagged"]


def test_the_command_settles_with_a_reason_and_can_be_repeated(flagged: EndedSession) -> None:
    first = run("settle", str(flagged.pk), "--reason", "her new phone")
    second = run("settle", str(flagged.pk), "--reason", "again")

    assert (first, second) == ("Settled.\n", "It was settled before.\n")
    assert "her new phone" in Event.objects.get(kind=Event.Kind.FLAG_SETTLED).detail
    assert run("flagged") == ""


def test_the_command_needs_a_reason(flagged: EndedSession) -> None:
    with pytest.raises(CommandError, match="--reason"):
        run("settle", str(flagged.pk))


def test_the_command_refuses_what_is_not_flagged() -> None:
    with pytest.raises(CommandError, match="no flagged session"):
        run("settle", str(uuid4()), "--reason", "x")
