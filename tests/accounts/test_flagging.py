"""What happens to a session that its owner does not recognise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts.ending import end_session
from accounts.flagging import flag_session
from accounts.models import EndedSession, EndReason, Event, Revocation, Session
from tests.accounts.support import utc_now
from tests.conftest import Browser

pytestmark = pytest.mark.django_db(transaction=True)


def test_flagging_a_live_session_ends_it_marks_it_and_tells_cognito(user: Browser) -> None:
    row, now = user.row, utc_now()

    is_new = flag_session(row.person, row.public_id, now)

    ended = EndedSession.objects.get()
    assert is_new
    assert not Session.objects.exists()
    assert (ended.reason, ended.flagged_at, ended.is_flagged) == (EndReason.NOT_RECOGNISED, now, True)
    assert Revocation.objects.get().state == Revocation.State.DONE
    assert list(EndedSession.objects.flagged()) == [ended]


def test_the_audit_trail_says_that_it_ended_and_why(user: Browser) -> None:
    row = user.row

    flag_session(row.person, row.public_id, utc_now())

    told = Event.objects.filter(session_id=row.public_id, user=row.person, actor=None).order_by("pk")
    assert [(event.kind, event.ip_address) for event in told][1:] == [
        (Event.Kind.ENDED, row.ip_address),
        (Event.Kind.NOT_RECOGNISED, row.ip_address),
    ]


def test_flagging_an_ended_session_leaves_its_end_as_it_was(user: Browser) -> None:
    row, now = user.row, utc_now()
    end_session(row, EndReason.IDLE, now=now - timedelta(days=1))

    assert flag_session(row.person, row.public_id, now)

    ended = EndedSession.objects.get()
    assert (ended.reason, ended.ended_at, ended.flagged_at) == (EndReason.IDLE, now - timedelta(days=1), now)
    assert Event.objects.filter(kind=Event.Kind.ENDED).count() == 1


@pytest.mark.parametrize("is_settled", [False, True])
def test_a_second_flag_changes_and_records_nothing(user: Browser, is_settled: bool) -> None:
    row, now = user.row, utc_now()
    flag_session(row.person, row.public_id, now)
    EndedSession.objects.update(flag_settled_at=now if is_settled else None)

    assert not flag_session(row.person, row.public_id, now + timedelta(hours=1))

    assert EndedSession.objects.get().flagged_at == now
    assert EndedSession.objects.get().is_flagged is not is_settled
    assert Event.objects.filter(kind=Event.Kind.NOT_RECOGNISED).count() == 1


def test_nobody_flags_a_session_of_somebody_else(user: Browser, outsider: Browser) -> None:
    stranger = outsider.row.person

    assert not flag_session(stranger, user.row.public_id, utc_now())
    assert not flag_session(stranger, uuid4(), utc_now())

    assert Session.objects.filter(pk=user.row.pk).exists()
    assert not EndedSession.objects.exists()


def test_if_the_flag_cannot_be_written_the_session_has_not_ended(
    user: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Event.objects.record

    def crash_at_the_flag(kind: Event.Kind, *args: Any, **kwargs: Any) -> Event:
        if kind == Event.Kind.NOT_RECOGNISED:
            raise RuntimeError
        event: Event = record(kind, *args, **kwargs)
        return event

    monkeypatch.setattr(Event.objects, "record", crash_at_the_flag)

    with pytest.raises(RuntimeError):
        flag_session(user.row.person, user.row.public_id, utc_now())

    assert Session.objects.filter(pk=user.row.pk).exists()
    assert not EndedSession.objects.exists()
    assert not Revocation.objects.exists()


def test_cognito_out_of_reach_does_not_keep_a_session_from_being_flagged(user: Browser) -> None:
    user.pool.fail("RevokeToken", "InternalErrorException")

    flag_session(user.row.person, user.row.public_id, utc_now())

    assert EndedSession.objects.get().is_flagged
    assert Revocation.objects.get().is_pending
