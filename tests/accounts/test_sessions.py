"""The session engine, and what a session costs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.db import connection
from django.forms.models import model_to_dict
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from time_machine import TimeMachineFixture

from accounts import tasks
from accounts.middleware import AuthenticationMiddleware
from accounts.models import EndedSession, EndReason, Session
from accounts.sessions import SessionStore
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def key_of(browser: Browser) -> str:
    return str(browser.cookies["session"].value)


def columns(row: Session) -> dict[str, Any]:
    return {name: value for name, value in vars(Session.objects.get(public_id=row.public_id)).items() if name[0] != "_"}


# --- What is stored


def test_the_key_of_a_session_is_stored_nowhere(user: Browser) -> None:
    user.get("/")

    stored = " ".join(map(str, columns(user.row).values()))

    assert key_of(user) not in stored


def test_no_token_is_stored_in_the_clear(user: Browser, pool: FakeUserPool) -> None:
    tokens = user.row.token_set()

    stored = " ".join(map(str, columns(user.row).values()))

    for token in (tokens.access_token, tokens.id_token, tokens.refresh_token):
        assert not {part for part in token.split(".") if len(part) > 20 and part in stored}


def test_the_stored_digest_is_no_key(user: Browser) -> None:
    user.cookies["session"] = user.row.key_digest

    assert user.get("/api/session/").status_code == 401


def test_a_token_set_moved_to_another_session_is_of_no_use(user: Browser, outsider: Browser) -> None:
    Session.objects.filter(pk=outsider.row.pk).update(token_set_sealed=user.row.token_set_sealed)

    response = outsider.get("/profile/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.UNREADABLE
    assert user.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    "key", ["", "short", "x" * 8, "ü" * 32, "x" * 100_000, "\x00" * 32, "' OR 1=1 --"], ids=lambda k: k[:8]
)
def test_a_key_nobody_gave_out_is_nobodys(user: Browser, key: str) -> None:
    user.cookies["session"] = key

    assert user.get("/api/session/").status_code == 401


# --- What it costs


def test_an_authenticated_page_costs_one_query_and_no_write(user: Browser) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = user.get("/api/session/", headers={"accept": "text/html"})

    assert response.status_code == 200
    statements = [query["sql"] for query in queries]
    assert not [statement for statement in statements if not statement.startswith("SELECT")]


def test_a_page_for_nobody_costs_nothing(visitor: Browser) -> None:
    with CaptureQueriesContext(connection) as queries:
        visitor.get("/")

    assert len(queries) == 0
    assert not Session.objects.exists()


def test_last_seen_is_written_at_most_once_a_minute(user: Browser, time_machine: TimeMachineFixture) -> None:
    opened = user.row.last_seen_at

    time_machine.move_to(opened + timedelta(seconds=59))
    user.get("/")
    within = user.row.last_seen_at
    time_machine.move_to(opened + timedelta(seconds=61))
    user.get("/")

    assert within == opened
    assert user.row.last_seen_at >= opened + timedelta(seconds=61)


def test_being_here_moves_the_idle_limit_along(
    user: Browser, time_machine: TimeMachineFixture, settings: Settings
) -> None:
    now = utc_now()

    for _ in range(4):
        now += timedelta(seconds=settings.SESSION_IDLE_SECONDS) - 2 * MINUTE
        time_machine.move_to(now)
        assert user.get("/sessions/").status_code == 200


# --- Saving


def test_saving_writes_nothing_but_djangos_own_columns(user: Browser) -> None:
    before = columns(user.row)

    store = SessionStore(key_of(user))
    store["seen"] = "a hint"
    store.save()

    after = columns(user.row)
    assert {name for name in after if after[name] != before[name]} == {"session_data"}


def test_a_stale_copy_saved_late_restores_no_old_tokens(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    stale = SessionStore(key_of(user))
    stale["seen"] = "before the refresh"
    time_machine.move_to(utc_now() + timedelta(minutes=50))
    Session.objects.update(expire_date=utc_now() + timedelta(hours=1))
    user.get("/")
    refreshed = columns(user.row)

    stale.save()

    assert columns(user.row)["token_set_sealed"] == refreshed["token_set_sealed"]
    assert columns(user.row)["token_version"] == refreshed["token_version"] == 2


def test_a_stale_copy_saved_late_revives_no_ended_session(user: Browser) -> None:
    stale = SessionStore(key_of(user))
    stale["seen"] = "before the end"
    user.post("/logout/")

    with pytest.raises(UpdateError):
        stale.save()

    assert not Session.objects.exists()


# --- Django's own ways out


@pytest.mark.django_db(transaction=True)
def test_djangos_logout_ends_the_session_and_revokes_its_tokens(user: Browser, pool: FakeUserPool) -> None:
    request = request_of(user)

    logout(request)

    assert not Session.objects.exists()
    assert EndedSession.objects.get().reason == EndReason.SIGNED_OUT
    assert all(sign_in.revoked for sign_in in pool.sign_ins.values())
    assert isinstance(request.user, AnonymousUser)


def test_after_djangos_logout_the_store_has_no_row(user: Browser) -> None:
    request = request_of(user)
    assert request.session.row is not None

    logout(request)

    assert request.session.row is None


@pytest.mark.django_db(transaction=True)
def test_deleting_a_session_by_its_key_ends_it(user: Browser, pool: FakeUserPool) -> None:
    SessionStore().delete(key_of(user))

    assert EndedSession.objects.get().reason == EndReason.SIGNED_OUT
    assert all(sign_in.revoked for sign_in in pool.sign_ins.values())


def test_deleting_a_session_that_is_none_is_harmless() -> None:
    SessionStore().delete("nobody0gave0this0key0out")
    SessionStore().delete()

    assert not EndedSession.objects.exists()


def test_a_new_key_for_a_signed_in_session_keeps_the_row(user: Browser) -> None:
    before, old_key = columns(user.row), key_of(user)

    store = SessionStore(old_key)
    store.cycle_key()

    after = columns(user.row)
    assert {name for name in after if after[name] != before[name]} == {"key_digest"}
    assert SessionStore(store.session_key).row is not None
    assert SessionStore(old_key).row is None
    assert not EndedSession.objects.exists()


def test_an_ended_session_gets_no_new_key(user: Browser) -> None:
    store = SessionStore(key_of(user))
    assert store.row is not None
    user.post("/logout/")

    with pytest.raises(UpdateError):
        store.cycle_key()

    assert not Session.objects.exists()


def test_a_new_key_for_an_anonymous_session_keeps_its_data() -> None:
    store = SessionStore()
    store["basket"] = 1
    store.save()
    old_key = store.session_key

    store.cycle_key()
    store.save()

    assert SessionStore(store.session_key)["basket"] == 1
    assert not store.exists(str(old_key))


# --- Asynchronous code


@pytest.mark.django_db(transaction=True)
def test_auser_is_the_person(user: Browser) -> None:
    request = request_of(user)

    found = asyncio.run(request.auser())

    assert found.subject == user.person.sub


@pytest.mark.django_db(transaction=True)
def test_auser_of_nobody_is_anonymous() -> None:
    request: Any = RequestFactory().get("/")
    request.session = SessionStore()
    AuthenticationMiddleware(lambda _: None).process_request(request)  # type: ignore[arg-type]

    assert asyncio.run(request.auser()).is_anonymous


@pytest.mark.django_db(transaction=True)
def test_a_new_key_from_asynchronous_code_keeps_the_row_too(user: Browser) -> None:
    row = user.row

    asyncio.run(SessionStore(key_of(user)).acycle_key())

    assert Session.objects.filter(public_id=row.public_id).exists()


# --- Time limits


def test_an_idle_session_ends_with_its_reason(
    user: Browser, time_machine: TimeMachineFixture, settings: Settings
) -> None:
    time_machine.move_to(utc_now() + timedelta(seconds=settings.SESSION_IDLE_SECONDS + 1))

    response = user.get("/sessions/")

    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.IDLE
    assert response.context["action_url"] == "/login/?next=%2Fsessions%2F"
    assert not Session.objects.exists()


def test_the_longest_life_is_a_limit_for_the_busiest(
    user: Browser, time_machine: TimeMachineFixture, settings: Settings
) -> None:
    settings.COGNITO_PROBE_SECONDS = 10**6
    now, end = utc_now(), user.row.ends_at
    assert end is not None
    while now + 29 * MINUTE < end:
        now += 29 * MINUTE
        time_machine.move_to(now)
        assert user.get("/sessions/").status_code == 200

    time_machine.move_to(end)
    response = user.get("/sessions/")

    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.ABSOLUTE
    assert end - EndedSession.objects.get().started_at < timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS + 2)


def test_no_session_outlives_its_refresh_token(visitor: Browser, settings: Settings) -> None:
    settings.COGNITO_REFRESH_TOKEN_SECONDS = 3600

    visitor.sign_in()

    assert visitor.row.ends_at is not None
    assert visitor.row.ends_at - visitor.row.started_at < timedelta(seconds=3602)


def test_the_reason_is_shown_once_and_then_it_is_a_sign_in(user: Browser, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(utc_now() + timedelta(hours=2))

    first, second = user.get("/sessions/"), user.get("/sessions/")

    assert first.status_code == 401
    assert user.cookies["session"].value == ""
    assert second.status_code == 302


def test_the_home_page_says_why_a_session_is_over(user: Browser, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(utc_now() + timedelta(hours=2))

    response = user.get("/")

    assert response.status_code == 200
    assert response.context["ended"].reason == EndReason.IDLE


def test_an_account_disabled_here_is_out_with_the_next_request(user: Browser) -> None:
    person = user.row.person
    person.is_active = False
    person.save()

    response = user.get("/sessions/")

    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.DISABLED


@pytest.mark.django_db(transaction=True)
def test_clearsessions_ends_what_has_lapsed_and_revokes_it(
    user: Browser, outsider: Browser, pool: FakeUserPool
) -> None:
    anonymous = SessionStore()
    anonymous["basket"] = 1
    anonymous.save()
    Session.objects.exclude(pk=outsider.row.pk).update(expire_date=utc_now() - MINUTE)

    call_command("clearsessions")
    tasks.deliver_revocations.call()

    assert Session.objects.get().pk == outsider.row.pk
    assert EndedSession.objects.get().reason == EndReason.IDLE
    assert [each.revoked for each in pool.sign_ins.values() if each.person is user.person] == [True]
    assert [each.revoked for each in pool.sign_ins.values() if each.person is outsider.person] == [False]


def test_no_form_shows_what_a_session_holds(user: Browser) -> None:
    assert not {"token_set_sealed", "key_digest"} & model_to_dict(user.row).keys()


def request_of(browser: Browser) -> Any:
    """Return a request of this browser as a view gets it."""
    request: Any = RequestFactory().get("/")
    request.session = SessionStore(key_of(browser))
    AuthenticationMiddleware(lambda _: None).process_request(request)  # type: ignore[arg-type]
    return request
