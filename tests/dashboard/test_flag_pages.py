"""What somebody goes through who does not recognise a session: from the question to what to do next."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.ending import end_session
from accounts.models import EndedSession, EndReason, Event, Session
from tests.conftest import Browser
from tests.dashboard.support import end_many, row_of, words


def flag(browser: Browser, row: Session) -> Any:
    return browser.post(f"/sessions/{row.public_id}/not-recognised/")


def test_asking_says_what_it_does_and_does_nothing(user: Browser, phone: Browser) -> None:
    page = words(user.get(f"/sessions/{row_of(phone).public_id}/not-recognised/"))

    assert "Firefox 132 on Linux · 127.0.0.1 · signed in" in page
    assert "The session ends" in page
    assert "the people who run this site can look into it" in page
    assert Session.objects.count() == 2


def test_flagging_ends_the_session_and_says_what_to_do_next(user: Browser, phone: Browser) -> None:
    row = row_of(phone)

    response = flag(user, row)
    page = words(user.get(response["Location"]))

    assert response["Location"] == f"/sessions/{row.public_id}/"
    assert "You did not recognise this session. It is over, and flagged" in page
    assert "What to do next Sign out everywhere." in page
    assert "Change your password" in page
    assert "Why Not recognised by its owner" in page
    assert "I don't recognise this" not in page
    assert phone.get("/profile/").status_code == 401


def test_the_browser_that_was_flagged_is_told_why_it_is_out(user: Browser, phone: Browser) -> None:
    flag(user, row_of(phone))

    page = words(phone.get("/profile/"))

    assert "somebody said that they do not recognise this one" in page
    assert "change your password and sign out everywhere" in page


def test_flagging_an_ended_session_only_flags(user: Browser, phone: Browser) -> None:
    row = row_of(phone)
    end_session(row, EndReason.IDLE, now=timezone.now())

    question = words(user.get(f"/sessions/{row.public_id}/not-recognised/"))
    flag(user, row)

    assert "The session is over already" in question
    assert EndedSession.objects.get().reason == EndReason.IDLE
    assert EndedSession.objects.get().is_flagged
    assert "Not recognised" in words(user.get("/sessions/"))


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_second_flag_does_nothing_new(user: Browser, phone: Browser, method: str) -> None:
    row = row_of(phone)
    flag(user, row)
    flagged_at = EndedSession.objects.get().flagged_at

    response = getattr(user, method)(f"/sessions/{row.public_id}/not-recognised/")

    assert response["Location"] == f"/sessions/{row.public_id}/"
    assert EndedSession.objects.get().flagged_at == flagged_at
    assert Event.objects.filter(kind=Event.Kind.NOT_RECOGNISED).count() == 1


@pytest.mark.parametrize(("method", "status"), [("get", 200), ("post", 409)])
def test_the_session_in_use_cannot_be_flagged_but_signed_out_everywhere(
    user: Browser, method: str, status: int
) -> None:
    response = getattr(user, method)(f"/sessions/{user.row.public_id}/not-recognised/")

    assert response.status_code == status
    assert "This is the session you are using right now." in words(response)
    assert 'href="/logout/">Sign out everywhere</a>' in response.content.decode()
    assert Session.objects.filter(pk=user.row.pk).exists()


def test_once_an_operator_has_looked_into_it_the_owner_is_told(user: Browser, phone: Browser) -> None:
    row = row_of(phone)
    flag(user, row)
    EndedSession.objects.update(flag_settled_at=timezone.now())

    page = words(user.get(f"/sessions/{row.public_id}/"))

    assert "The people who run this site have looked into it," in page
    assert "What to do next" not in page


def test_an_outsider_flags_nothing_of_the_user(user: Browser, outsider: Browser) -> None:
    trace = end_many(user.row.person, 1)[0]

    answers = [
        outsider.post(f"/sessions/{public_id}/not-recognised/").status_code
        for public_id in (user.row.public_id, trace.pk)
    ]

    assert answers == [404, 404]
    assert Session.objects.filter(pk=user.row.pk).exists()
    assert EndedSession.objects.get().flagged_at is None


def test_a_forged_form_flags_nothing(user: Browser, phone: Browser) -> None:
    user.handler.enforce_csrf_checks = True

    response = flag(user, row_of(phone))

    assert response.status_code == 403
    assert Session.objects.count() == 2


@pytest.mark.parametrize("is_over", [False, True])
def test_the_question_costs_at_most_three_queries(
    user: Browser, phone: Browser, is_over: bool, django_assert_max_num_queries: Any
) -> None:
    row = row_of(phone)
    if is_over:
        end_session(row, EndReason.IDLE, now=timezone.now())

    with django_assert_max_num_queries(3):
        user.get(f"/sessions/{row.public_id}/not-recognised/")
