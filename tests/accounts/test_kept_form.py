"""Forms sent after their session's end: kept, and offered once more after signing in."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlencode
from uuid import UUID, uuid4

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import RequestFactory
from pytest_django import Settings

from accounts import kept_form
from accounts.ending import end_session
from accounts.hygiene import prune_batch
from accounts.models import EndedSession, EndReason, Event, KeptForm, Revocation, Session
from accounts.models.authorization import digest
from accounts.models.kept_form import FormContent
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import FakeUserPool

pytestmark = pytest.mark.django_db
SENT_TO = "/sessions/revoke-others/?from=list"
TYPED = {"note": "Lost on the train"}
HOSTILE = "\"><script>alert(1)</script>{{ settings }}{% csrf_token %}&amp;'"
OTHER_KEY = "YW5vdGhlci1rZXktZm9yLXRlc3RzLTAxMjM0NTY3ODk"


def end(browser: Browser, reason: EndReason = EndReason.OPERATOR) -> UUID:
    """End the session of a browser from elsewhere and return its id."""
    public_id = browser.row.public_id
    end_session(browser.row, reason, now=utc_now())
    return public_id


def send_too_late(browser: Browser, data: Any = TYPED, path: str = SENT_TO, **kwargs: Any) -> Any:
    """Send a form in a session that has just ended."""
    end(browser)
    return browser.post(path, data, **kwargs)


def offer_of(browser: Browser) -> str:
    """Return the address at which the only kept form is offered."""
    return f"/kept-form/{KeptForm.objects.get().pk}/"


def notes() -> set[str]:
    """Return what is kept under "note"."""
    contents = [form.content() for form in KeptForm.objects.all()]
    return {dict(content.fields)["note"] for content in contents if content}


def fields_of(page: Any, action: str) -> list[tuple[str, str]]:
    """Return the hidden fields of the form with this action, as a browser would send them."""
    [form] = re.findall(rf'<form method="post" action="{action}">(.*?)</form>', page.content.decode(), re.DOTALL)
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return [(html.unescape(name), html.unescape(value)) for name, value in pairs]


def press_send(browser: Browser, offer: str) -> Any:
    """Press "Send it now", and go on with the same fields as a browser does after 307."""
    data: dict[str, list[str]] = {}
    for name, value in fields_of(browser.get(offer), f"{offer}send/"):
        data.setdefault(name, []).append(value)
    response = browser.post(f"{offer}send/", data)
    return browser.post(response["Location"], data) if response.status_code == 307 else response


# --- What is kept


def test_a_form_sent_too_late_is_kept_and_offered_after_signing_in(user: Browser) -> None:
    page = send_too_late(user)

    assert page.status_code == 401
    assert "What you filled in is kept for you." in words(page)
    offer = offer_of(user)
    assert f'href="/login/?next={offer.replace("/", "%2F")}"' in page.content.decode()
    assert user.sign_in(offer)["Location"] == offer
    offered = words(user.get(offer))
    assert "Note Lost on the train" in offered
    assert SENT_TO in offered


def expire(row: Session, **columns: Any) -> None:
    Session.objects.filter(pk=row.pk).update(**columns)


def ended_by_an_operator(browser: Browser) -> None:
    end(browser)


def ended_elsewhere(browser: Browser) -> None:
    end(browser, EndReason.ELSEWHERE)


def idle(browser: Browser) -> None:
    expire(browser.row, expire_date=utc_now() - timedelta(seconds=1))


def at_its_limit(browser: Browser) -> None:
    past = utc_now() - timedelta(seconds=1)
    expire(browser.row, expire_date=past, ends_at=past)


def refresh_refused(browser: Browser) -> None:
    now = utc_now()
    expire(browser.row, refresh_due_at=now, access_expires_at=now + timedelta(minutes=1))
    browser.pool.sign_out_everywhere(browser.person)


def probe_refused(browser: Browser) -> None:
    expire(browser.row, probe_due_at=utc_now())
    browser.pool.sign_out_everywhere(browser.person)


@pytest.mark.parametrize(
    "over", [ended_by_an_operator, ended_elsewhere, idle, at_its_limit, refresh_refused, probe_refused]
)
def test_a_form_is_kept_however_its_session_ended(user: Browser, over: Callable[[Browser], None]) -> None:
    over(user)

    page = user.post(SENT_TO, TYPED)

    assert page.status_code == 401
    user.sign_in(offer_of(user))
    assert "Lost on the train" in words(user.get(offer_of(user)))


def test_a_form_left_open_over_night_is_kept(user: Browser) -> None:
    end(user)

    with time_machine.travel(utc_now() + kept_form.LATEST_AFTER_END - timedelta(minutes=1)):
        user.post(SENT_TO, TYPED)

    assert KeptForm.objects.exists()


def test_a_form_is_kept_in_full(user: Browser) -> None:
    data = {
        "session": [str(uuid4()), str(uuid4())],
        "reason": "Zeile 1\r\n  „zwei“ ",
        "empty": "",
        "csrfmiddlewaretoken": "x",
    }

    send_too_late(user, data)

    content = KeptForm.objects.get().content()
    assert content is not None
    assert content.path == SENT_TO
    assert content.fields == (
        ("session", data["session"][0]),
        ("session", data["session"][1]),
        ("reason", data["reason"]),
        ("empty", ""),
    )


def test_the_kinds_of_forms_make_no_difference(user: Browser) -> None:
    send_too_late(user, "note=Lost+on+the+train", content_type="application/x-www-form-urlencoded")

    content = KeptForm.objects.get().content()
    assert content == FormContent(SENT_TO, (("note", "Lost on the train"),))


def test_a_second_click_keeps_the_form_in_any_case(user: Browser) -> None:
    """The browser throws away the answer to the first one, and its cookie."""
    cookies = deepcopy(user.cookies)
    send_too_late(user)
    user.cookies = cookies

    page = user.post(SENT_TO, TYPED)

    assert "What you filled in is kept for you." in words(page)
    [offer] = set(re.findall(r"%2Fkept-form%2F[0-9a-f-]{36}%2F", page.content.decode()))
    offer = unquote(offer)
    user.sign_in(offer)
    assert press_send(user, offer)["Location"] == "/sessions/"


def test_the_same_form_of_the_same_browser_is_kept_once(user: Browser) -> None:
    key = user.cookies["session"].value
    send_too_late(user)
    user.cookies["session"] = key

    user.post(SENT_TO, TYPED)

    assert KeptForm.objects.count() == 1


def test_the_forms_of_two_tabs_are_both_kept_and_offered(user: Browser) -> None:
    key = user.cookies["session"].value
    send_too_late(user)
    first = offer_of(user)
    user.cookies["session"] = key
    user.post(SENT_TO, {"note": "Another"})
    second = f"/kept-form/{KeptForm.objects.order_by('kept_at').last().pk}/"  # type: ignore[union-attr]

    user.sign_in(second)

    assert "Another" in words(user.get(second))
    assert press_send(user, second)["Location"] == "/sessions/"
    assert "Lost on the train" in words(user.get(first))
    assert press_send(user, first)["Location"] == "/sessions/"


def test_reloading_the_page_of_the_end_leads_to_the_form_too(user: Browser) -> None:
    send_too_late(user)

    response = user.post(SENT_TO, TYPED)

    assert response["Location"] == f"/login/?next={offer_of(user).replace('/', '%2F')}"


def test_changing_the_language_on_the_page_of_the_end_does_not_lose_the_way(user: Browser) -> None:
    page = send_too_late(user)

    assert f'name="next" value="{offer_of(user)}"' in page.content.decode()


# --- What is not kept


def assert_lost(page: Any) -> None:
    assert not KeptForm.objects.exists()
    assert "could not be kept" in words(page)
    assert "is kept for you" not in words(page)


def test_what_is_too_long_is_not_kept_and_the_page_says_so(user: Browser) -> None:
    assert_lost(send_too_late(user, {"note": "x" * KeptForm.MOST_BYTES}))


def test_what_just_fits_is_kept(user: Browser) -> None:
    around = len(FormContent(SENT_TO, (("note", ""),)).as_bytes())

    send_too_late(user, {"note": "x" * (KeptForm.MOST_BYTES - around)})

    assert KeptForm.objects.exists()


def test_a_file_is_not_kept_and_the_page_says_so(user: Browser) -> None:
    assert_lost(send_too_late(user, {**TYPED, "file": SimpleUploadedFile("list.txt", b"x")}))


@pytest.mark.parametrize("data", [{}, {"csrfmiddlewaretoken": "x"}, {"note": "  ", "csrfmiddlewaretoken": "x"}])
def test_a_form_in_which_nothing_stands_is_not_kept(user: Browser, data: dict[str, str]) -> None:
    page = send_too_late(user, data)

    assert page.status_code == 401
    assert not KeptForm.objects.exists()
    assert "filled in" not in words(page)


def test_who_wants_json_gets_json_and_nothing_is_kept(user: Browser) -> None:
    response = send_too_late(user, headers={"Accept": "application/json"})

    assert (response.status_code, response.json()) == (401, {"error": "session_ended"})
    assert not KeptForm.objects.exists()


def test_a_body_that_is_no_form_is_not_kept(user: Browser) -> None:
    send_too_late(user, '{"note": "x"}', content_type="application/json")

    assert not KeptForm.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_what_was_posted_is_kept(user: Browser, method: str) -> None:
    end(user)

    getattr(user, method)(f"{SENT_TO}&note=x")

    assert not KeptForm.objects.exists()


def test_a_form_without_its_token_is_not_kept(user: Browser) -> None:
    user.handler.enforce_csrf_checks = True

    response = send_too_late(user)

    assert response.status_code == 403
    assert not KeptForm.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 32, "y" * 10_000])
def test_strangers_cannot_have_anything_kept(visitor: Browser, key: str) -> None:
    visitor.cookies["session"] = key

    response = visitor.post(SENT_TO, TYPED)

    assert response["Location"] == "/login/?next=%2F"
    assert not KeptForm.objects.exists()


def test_a_key_of_long_ago_keeps_nothing(user: Browser) -> None:
    end(user)

    with time_machine.travel(utc_now() + kept_form.LATEST_AFTER_END + timedelta(minutes=1)):
        assert_lost(user.post(SENT_TO, TYPED))


def test_one_session_leaves_no_more_than_so_many_forms_behind(user: Browser) -> None:
    end(user)
    cookies = deepcopy(user.cookies)
    for number in range(KeptForm.MOST_PER_SESSION):
        user.cookies = deepcopy(cookies)
        user.post(SENT_TO, {"note": f"{number}"})

    user.cookies = deepcopy(cookies)
    page = user.post(SENT_TO, {"note": "Another"})

    assert "could not be kept" in words(page)
    assert notes() == {f"{number}" for number in range(KeptForm.MOST_PER_SESSION)}


def test_what_has_expired_makes_room_before_it_is_pruned(user: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeptForm, "MOST_PER_SESSION", 1)
    cookies = deepcopy(user.cookies)
    send_too_late(user)
    KeptForm.objects.update(expires_at=utc_now())
    user.cookies = cookies

    user.post(SENT_TO, {"note": "Another"})

    assert notes() == {*TYPED.values(), "Another"}


def test_a_button_that_carries_where_it_leads_is_no_form_to_keep(user: Browser) -> None:
    page = send_too_late(user, {"next": "/sessions/", "how": "prompt"}, "/reauthenticate/")

    assert not KeptForm.objects.exists()
    assert "filled in" not in words(page)


def test_who_is_disabled_cannot_come_back_for_it(user: Browser) -> None:
    row = user.row
    row.person.is_active = False
    row.person.save()

    assert_lost(user.post(SENT_TO, TYPED))


def test_a_database_that_takes_no_writes_shows_the_page_all_the_same(user: Browser) -> None:
    end(user)

    with mock.patch.object(KeptForm, "save", side_effect=OperationalError("readonly")):
        page = user.post(SENT_TO, TYPED)

    assert page.status_code == 401
    assert_lost(page)


def test_signing_out_is_never_kept(user: Browser) -> None:
    send_too_late(user, TYPED, "/logout/")

    assert not KeptForm.objects.exists()


@pytest.mark.parametrize(
    "path", ["//evil.example.com/", "/\\evil.example.com/", "https://evil.example.com/", "/" + "x" * 3000]
)
def test_an_address_that_is_not_plainly_ours_is_not_kept(user: Browser, path: str) -> None:
    public_id = end(user)
    ended = EndedSession.objects.get(pk=public_id)
    request = RequestFactory().post("/")

    assert kept_form.keep(request, FormContent(path, (("note", "x"),)), ended, utc_now()) is None


def test_a_host_that_somebody_made_up_goes_nowhere(user: Browser) -> None:
    send_too_late(user, headers={"X-Forwarded-Host": "evil.example.com", "Referer": "http://evil.example.com/"})

    content = KeptForm.objects.get().content()
    assert content is not None
    assert content.path == SENT_TO


# --- What becomes of it


def test_sending_carries_every_field_to_the_view_it_was_for_with_a_new_token(user: Browser) -> None:
    send_too_late(user, {"note": [HOSTILE, "two"], "id": str(uuid4())})
    offer = offer_of(user)
    user.sign_in(offer)
    content = KeptForm.objects.get().content()
    assert content is not None

    fields = fields_of(user.get(offer), f"{offer}send/")
    response = user.post(f"{offer}send/", {"note": [HOSTILE, "two"]})

    assert fields[0][0] == "csrfmiddlewaretoken"
    assert tuple(fields[1:]) == content.fields
    assert (response.status_code, response["Location"]) == (307, SENT_TO)


def test_a_form_is_sent_once(user: Browser) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.sign_in(offer)
    cookies = deepcopy(user.cookies)
    press_send(user, offer)
    user.cookies = cookies

    again = user.post(f"{offer}send/", TYPED)

    assert again.status_code == user.get(offer).status_code == 410
    assert "Nothing is kept any more" in words(again)
    assert not KeptForm.objects.exists()


def test_of_two_clicks_at_the_same_time_one_sends(user: Browser) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.sign_in(offer)
    read = KeptForm.content

    def read_and_lose(row: KeptForm) -> FormContent | None:
        content = read(row)
        KeptForm.objects.all().delete()
        return content

    with mock.patch.object(KeptForm, "content", read_and_lose):
        assert user.post(f"{offer}send/", TYPED).status_code == 410


def test_a_reload_of_the_offer_loses_nothing(user: Browser) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.sign_in(offer)

    first, second = user.get(offer), user.get(offer)

    assert first.status_code == second.status_code == 200
    assert {"private", "no-store"} <= set(second["Cache-Control"].replace(",", " ").split())


def test_what_is_discarded_is_gone_and_was_not_sent(user: Browser) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.sign_in(offer)

    page = user.post(f"{offer}discard/", follow=True)

    assert "Nothing was sent." in words(page)
    assert not KeptForm.objects.exists()
    assert user.get(offer).status_code == user.post(f"{offer}discard/").status_code == 410


@pytest.mark.parametrize("action", ["send", "discard"])
def test_nothing_is_sent_or_discarded_by_a_link_or_without_a_token(user: Browser, action: str) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.sign_in(offer)
    user.handler.enforce_csrf_checks = True

    by_link, without_token = user.get(f"{offer}{action}/"), user.post(f"{offer}{action}/")

    assert (by_link.status_code, without_token.status_code) == (405, 403)
    assert KeptForm.objects.exists()


def test_the_offer_ends_after_half_an_hour(user: Browser) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.sign_in(offer)
    kept = KeptForm.objects.get()
    KeptForm.objects.update(expires_at=utc_now())

    page = user.get(offer)

    assert kept.expires_at - kept.kept_at == timedelta(minutes=30)
    assert (page.status_code, user.post(f"{offer}send/", TYPED).status_code) == (410, 410)
    assert "its half hour is over" in words(page)


def test_an_operators_form_goes_round_trip_through_the_end_of_their_session(admin: Browser, user: Browser) -> None:
    victim = user.row
    path = f"/console/sessions/{victim.public_id}/revoke/"
    send_too_late(admin, {"reason": "Laptop stolen"}, path)
    admin.sign_in(offer_of(admin))

    response = press_send(admin, offer_of(admin))

    assert response["Location"] == f"/console/sessions/{victim.public_id}/"
    assert not Session.objects.filter(pk=victim.pk).exists()
    assert Event.objects.get(session_id=victim.public_id, kind=Event.Kind.ENDED).detail == "Laptop stolen"


@pytest.mark.parametrize(
    ("path", "title", "tone"),
    [
        ("/console/sessions/{0}/revoke/", "End a session", "danger"),
        ("/console/sessions/{0}/settle/", "Settle a session that its owner did not recognise", "primary"),
        ("/console/people/{0}/end/", "End all sessions of a person on this site", "danger"),
        ("/console/people/{0}/sign-out-everywhere/", "Sign a person out of every app", "danger"),
        ("/console/revocations/{0}/retry/", "Try a revocation again now", "primary"),
        ("/console/revocations/{0}/give-up/", "Give up a revocation", "danger"),
    ],
)
def test_the_offer_says_what_sending_does_and_to_whom(admin: Browser, path: str, title: str, tone: str) -> None:
    path = path.format(admin.row.public_id)
    send_too_late(admin, {"reason": "Laptop stolen"}, path)
    admin.sign_in(offer_of(admin))

    offer = admin.get(offer_of(admin))

    assert f"What sending it does {title}" in words(offer)
    assert f'<button class="button {tone}">Send it now' in offer.content.decode()
    assert f'href="{path.rsplit("/", 2)[0]}/">The page it was filled in on' in offer.content.decode()


def test_who_may_no_longer_do_it_is_refused_as_ever(admin: Browser, user: Browser) -> None:
    path = f"/console/sessions/{user.row.public_id}/revoke/"
    send_too_late(admin, {"reason": "Laptop stolen"}, path)
    admin.person.groups.clear()
    admin.sign_in(offer_of(admin))

    response = press_send(admin, offer_of(admin))

    assert response.status_code == 403
    assert Session.objects.filter(pk=user.row.pk).exists()


def test_a_session_that_ends_before_sending_loses_nothing_either(user: Browser) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.sign_in(offer)
    end(user)

    page = user.post(f"{offer}send/", TYPED)

    assert "What you filled in is kept for you." in words(page)
    assert offer_of(user) == offer
    user.sign_in(offer)
    assert press_send(user, offer)["Location"] == "/sessions/"


# --- Who sees it


@pytest.mark.parametrize(("method", "action"), [("get", ""), ("post", "send/"), ("post", "discard/")])
def test_an_outsider_finds_nothing(user: Browser, outsider: Browser, method: str, action: str) -> None:
    send_too_late(user)
    offer = offer_of(user)
    outsider.cookies["gatehouse_kept_form"] = user.cookies["gatehouse_kept_form"].value

    response = getattr(outsider, method)(f"{offer}{action}")

    assert response.status_code == 404
    assert KeptForm.objects.exists()


def test_another_person_who_signs_in_in_that_browser_finds_nothing(user: Browser, pool: FakeUserPool) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.person = pool.add_person("next@example.com")

    user.sign_in(offer)

    assert user.get(offer).status_code == 404


def test_another_browser_is_not_offered_what_somebody_with_an_old_key_left(user: Browser, pool: FakeUserPool) -> None:
    send_too_late(user)
    offer = offer_of(user)
    owner = Browser(pool, user.person)
    owner.sign_in(offer)

    assert owner.get(offer).status_code == owner.post(f"{offer}send/", TYPED).status_code == 410


def test_a_visitor_is_sent_to_sign_in_first(user: Browser) -> None:
    send_too_late(user)

    response = user.get(offer_of(user))

    assert response["Location"] == f"/login/?next={offer_of(user)}"


def test_the_cookie_that_ties_it_to_the_browser_is_out_of_reach_and_short_lived(user: Browser) -> None:
    cookie = send_too_late(user).cookies["gatehouse_kept_form"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == KeptForm.LIFETIME.total_seconds()


def test_the_cookie_is_a_secret_of_which_the_row_has_a_digest(user: Browser) -> None:
    value = send_too_late(user).cookies["gatehouse_kept_form"].value

    form = KeptForm.objects.get()
    assert len(value) == 43
    assert form.browser_digest == digest(value)
    assert value not in " ".join(str(column) for column in KeptForm.objects.values().get().values())


@pytest.mark.parametrize("value", ["", "x" * 43, "{session}", "{form}"])
@pytest.mark.parametrize(("method", "action"), [("get", ""), ("post", "send/"), ("post", "discard/")])
def test_no_id_is_as_good_as_the_cookie(user: Browser, value: str, method: str, action: str) -> None:
    send_too_late(user)
    form = KeptForm.objects.get()
    user.sign_in(offer_of(user))
    user.cookies["gatehouse_kept_form"] = value.format(session=form.session_id, form=form.pk)

    response = getattr(user, method)(f"{offer_of(user)}{action}", TYPED)

    assert response.status_code == 410
    assert KeptForm.objects.exists()


@pytest.mark.parametrize("value", ["", "x", "//evil.example.com", "../../", "\n", "x" * 43, "x" * 10_000])
def test_a_cookie_that_is_none_of_ours_leads_nowhere(visitor: Browser, value: str) -> None:
    visitor.cookies["gatehouse_kept_form"] = value

    assert visitor.post(SENT_TO, TYPED)["Location"] == "/login/?next=%2F"


# --- How it is shown and stored


def test_what_somebody_typed_is_text_and_never_markup(user: Browser) -> None:
    body = urlencode({HOSTILE: HOSTILE})
    send_too_late(user, body, f"{SENT_TO}&x={HOSTILE}", content_type="application/x-www-form-urlencoded")
    offer = offer_of(user)
    user.sign_in(offer)

    page = user.get(offer)

    assert "<script>alert" not in page.content.decode()
    assert HOSTILE in html.unescape(page.content.decode())
    assert (HOSTILE, HOSTILE) in fields_of(page, f"{offer}send/")


def test_what_nobody_typed_is_counted_and_ids_are_told(user: Browser) -> None:
    ids = [str(uuid4()), str(uuid4())]
    send_too_late(user, {"session": ids, "lost_device": "Phone", "empty": "", "": "nameless"})
    offer = offer_of(user)
    user.sign_in(offer)

    page = words(user.get(offer))

    assert "Lost device Phone" in page
    assert f"Carries 2 ids {ids[0]} {ids[1]}" in page
    assert "2 fields that were empty, or that the page had filled in by itself, go with it." in page


def test_a_form_without_ids_speaks_of_none(user: Browser) -> None:
    send_too_late(user)
    offer = offer_of(user)
    user.sign_in(offer)

    assert "Carries" not in words(user.get(offer))


def test_content_is_nowhere_in_the_clear(user: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    response = send_too_late(user, path="/sessions/revoke-others/?from=somewhere")
    user.sign_in(offer_of(user))
    press_send(user, offer_of(user))
    send_too_late(user)

    stored = " ".join(str(row) for model in (KeptForm, Event, EndedSession) for row in model.objects.values())
    everything = (
        stored + caplog.text + str(response.headers) + str(response.cookies) + repr(KeptForm.objects.get().content())
    )
    assert [secret for secret in ("Lost on", "somewhere") if secret in everything] == []


def test_a_form_copied_to_another_row_does_not_open_and_costs_nobody_the_session(user: Browser) -> None:
    send_too_late(user)
    sealed = KeptForm.objects.get().sealed
    KeptForm.objects.all().delete()
    user.sign_in()
    send_too_late(user)
    KeptForm.objects.update(sealed=sealed)
    user.sign_in(offer_of(user))

    assert user.get(offer_of(user)).status_code == user.post(f"{offer_of(user)}send/").status_code == 410
    assert user.get("/sessions/").status_code == 200


def test_a_key_that_is_not_at_hand_loses_nothing(user: Browser, settings: Settings) -> None:
    send_too_late(user)
    keys = settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = [OTHER_KEY]
    user.sign_in(offer_of(user))

    assert user.get(offer_of(user)).status_code == user.post(f"{offer_of(user)}send/").status_code == 503

    settings.TOKEN_ENCRYPTION_KEYS = [*keys, OTHER_KEY]
    assert user.get(offer_of(user)).status_code == 200


def test_what_has_expired_is_pruned_and_nothing_else(user: Browser) -> None:
    send_too_late(user)
    now = utc_now()

    prune_batch(now)
    assert KeptForm.objects.exists()
    prune_batch(now + KeptForm.LIFETIME + timedelta(seconds=1))

    assert not KeptForm.objects.exists()


def test_a_person_who_is_deleted_leaves_no_form(user: Browser) -> None:
    person = user.row.person
    send_too_late(user)
    Revocation.objects.all().delete()

    person.delete()

    assert not KeptForm.objects.exists()
