"""A thief with the session's cookie, and a form that its owner sent too late: it stays the owner's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.ending import end_session
from accounts.models import EndReason, KeptForm, Session
from tests.accounts.test_kept_form import press_send
from tests.conftest import Browser
from tests.dashboard.support import words

pytestmark = pytest.mark.django_db

END = "/console/sessions/end/"
TYPED = {"reason": "Laptop stolen"}


@pytest.fixture
def operator(admin: Browser) -> Browser:
    """An operator who signed in too long ago to end anything."""
    Session.objects.filter(pk=admin.row.pk).update(auth_time=timezone.now() - timedelta(hours=2))
    return admin


@pytest.fixture
def thief(operator: Browser) -> Browser:
    """Somebody elsewhere with a copy of the operator's session cookie."""
    thief = Browser(operator.pool, operator.person)
    thief.cookies["session"] = operator.cookies["session"].value
    return thief


def send_too_late(browser: Browser, session: Session) -> Any:
    """Have a session ended, too long after the sign-in."""
    return browser.post(END, {**TYPED, "session": str(session.public_id)})


def confirm(operator: Browser, next_url: str) -> Any:
    """Type the password, and return where that leads."""
    there = operator.post("/reauthenticate/", {"next": next_url})["Location"]
    return operator.get(operator.get(operator.pool.authorize(there, operator.person))["Location"])


def test_a_thief_cannot_swap_what_the_operator_is_about_to_send(
    operator: Browser, thief: Browser, user: Browser, outsider: Browser
) -> None:
    guilty, innocent = user.row, outsider.row
    send_too_late(operator, guilty)
    form = KeptForm.objects.get()
    offer = f"/kept-form/{form.pk}/"

    for known in (form.session_id, form.pk, "", "x" * 43):
        thief.cookies["gatehouse_kept_form"] = str(known)
        assert thief.get(offer).status_code == 410
        assert thief.post(f"{offer}discard/").status_code == 410
        assert thief.post(f"{offer}send/", {**TYPED, "session": str(innocent.public_id)}).status_code == 410
    send_too_late(thief, innocent)
    confirm(operator, offer)
    press_send(operator, offer)

    assert not Session.objects.filter(pk=guilty.pk).exists()
    assert Session.objects.filter(pk=innocent.pk).exists()


@pytest.mark.parametrize("said", ["innocent", "guilty"])
def test_what_a_thief_sent_first_is_never_offered_to_the_operator(
    operator: Browser, thief: Browser, user: Browser, outsider: Browser, said: str
) -> None:
    guilty, innocent = user.row, outsider.row
    send_too_late(thief, innocent if said == "innocent" else guilty)
    laid = KeptForm.objects.get().pk

    page = send_too_late(operator, guilty)
    own = KeptForm.objects.exclude(pk=laid).get().pk
    confirm(operator, f"/kept-form/{own}/")

    assert f"/kept-form/{own}/" in page.content.decode()
    assert operator.get(f"/kept-form/{laid}/").status_code == 410
    assert operator.post(f"/kept-form/{laid}/send/", TYPED).status_code == 410
    press_send(operator, f"/kept-form/{own}/")
    assert not Session.objects.filter(pk=guilty.pk).exists()
    assert Session.objects.filter(pk=innocent.pk).exists()


def test_where_a_thief_leaves_no_room_the_operator_is_told_that_nothing_is_kept(
    operator: Browser, thief: Browser, user: Browser, outsider: Browser
) -> None:
    for _ in range(KeptForm.MOST_PER_SESSION):
        thief.cookies.pop("gatehouse_kept_form", None)
        send_too_late(thief, outsider.row)

    page = send_too_late(operator, user.row)

    assert KeptForm.objects.count() == KeptForm.MOST_PER_SESSION
    assert "What you filled in could not be kept, and nothing was done with it." in words(page)
    assert "kept-form" not in page.content.decode()
    assert "gatehouse_kept_form" not in page.cookies


def test_the_operator_sees_which_sessions_would_end(operator: Browser, user: Browser, outsider: Browser) -> None:
    ids = [str(user.row.public_id), str(outsider.row.public_id)]
    operator.post(END, {**TYPED, "session": ids})
    offer = f"/kept-form/{KeptForm.objects.get().pk}/"

    page = words(operator.get(offer))

    assert f"Carries 2 ids {ids[0]} {ids[1]}" in page


def test_a_thief_whose_session_has_ended_is_not_given_the_owners_form(operator: Browser, thief: Browser) -> None:
    """Sent to the very address of the offer, as a form that came too late once more."""
    form = left_behind(operator)
    end_session(operator.row, EndReason.OPERATOR, now=timezone.now())

    page = thief.post(f"/kept-form/{form}/send/", {**TYPED, "session": str(uuid4())})

    assert page.status_code == 401
    assert "is kept for you" not in words(page)
    assert "gatehouse_kept_form" not in page.cookies
    assert KeptForm.objects.get().pk == form


def left_behind(operator: Browser) -> UUID:
    operator.post(END, {**TYPED, "session": str(uuid4())})
    return KeptForm.objects.get().pk
