"""Proving anew who one is: the page, the round trip, and a user pool that does not ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings
from time_machine import TimeMachineFixture

from accounts.decorators import recent_sign_in_required
from accounts.models import EndedSession, EndReason, Session
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import FakeUserPool

LATER = timedelta(minutes=16)
TARGET = "/sessions/?page=2"


class Somebody(Browser):
    """A browser that keeps the hosted UI's cookies, too."""

    def __init__(self, pool: FakeUserPool) -> None:
        super().__init__(pool, pool.add_person("sam@example.com", name="Sam"))
        self.hosted_ui: dict[str, str] = {}
        self.get(pool.authorize(self.start_sign_in(), self.person, cookies=self.hosted_ui))

    def confirm(self, how: str = "prompt") -> Any:
        """Press the button and go the whole way, through the hosted UI and back to where that leads."""
        there = self.post("/reauthenticate/", {"next": TARGET, "how": how})["Location"]
        back = self.get(self.pool.authorize(there, self.person, cookies=self.hosted_ui))
        return self.get(back["Location"])


@pytest.fixture(autouse=True)
def a_quarter_of_an_hour(settings: Settings) -> None:
    """Less than the hosted UI's login cookie lives."""
    settings.COGNITO_REAUTHENTICATE_SECONDS = 900


@pytest.fixture
def somebody(pool: FakeUserPool, db: None, time_machine: TimeMachineFixture) -> Somebody:
    """Somebody who signed in longer ago than is allowed."""
    somebody = Somebody(pool)
    time_machine.move_to(utc_now() + LATER)
    return somebody


def question(next_url: str = TARGET, **more: str) -> str:
    return f"/reauthenticate/?{urlencode({'next': next_url} | more)}"


# --- The rule


@pytest.mark.parametrize(
    ("ago", "limit", "recent"), [(900, 900, True), (901, 900, False), (901, 1000, True), (10**6, 0, True)]
)
def test_a_sign_in_is_recent_within_the_limit(ago: int, limit: int, recent: bool, settings: Settings) -> None:
    settings.COGNITO_REAUTHENTICATE_SECONDS = limit
    now = utc_now()

    assert Session(auth_time=now - timedelta(seconds=ago)).has_recent_sign_in(now) is recent


def test_a_sign_in_at_an_unknown_time_is_not_recent() -> None:
    assert not Session(auth_time=None).has_recent_sign_in(utc_now())


def test_a_refresh_is_no_proof_whatever_its_tokens_say(somebody: Somebody, pool: FakeUserPool) -> None:
    signed_in_at = somebody.row.auth_time
    pool.tamper("id_token", lambda claims: claims | {"auth_time": claims["iat"]})
    Session.objects.update(refresh_due_at=utc_now())

    somebody.get("/")

    assert pool.calls.count("GetTokensFromRefreshToken") == 1
    assert somebody.row.auth_time == signed_in_at


def test_who_signed_in_just_now_notices_nothing(somebody: Somebody) -> None:
    Session.objects.update(auth_time=utc_now())

    assert somebody.get(question())["Location"] == TARGET


# --- The question


def test_a_page_goes_by_way_of_the_question() -> None:
    request: Any = RequestFactory().get("/secret/?a=b")
    request.session_row = Session(auth_time=None)

    response = recent_sign_in_required(lambda _: HttpResponse("secret"))(request)

    assert response.status_code == 302
    assert response.headers["Location"] == "/reauthenticate/?next=%2Fsecret%2F%3Fa%3Db"


def test_json_is_told_in_json() -> None:
    request: Any = RequestFactory().post("/secret/", headers={"accept": "application/json"})
    request.session_row = Session(auth_time=None)

    response = recent_sign_in_required(lambda _: HttpResponse("secret"))(request)

    assert response.status_code == 401
    assert b"insufficient_user_authentication" in response.content  # type: ignore[attr-defined]


def test_the_question_sends_nobody_away_by_itself(somebody: Somebody, pool: FakeUserPool) -> None:
    calls = pool.calls.count("authorize")

    response = somebody.get(question())

    assert response.status_code == 200
    assert "Confirm that it is you" in words(response)
    assert pool.calls.count("authorize") == calls


def test_a_stranger_signs_in_first_which_is_proof_enough(pool: FakeUserPool, visitor: Browser) -> None:
    first = visitor.get(question())
    assert first["Location"].startswith("/login/?next=/reauthenticate/")

    visitor.get(pool.authorize(visitor.get(first["Location"])["Location"], visitor.person))

    assert visitor.get(question())["Location"] == TARGET


@pytest.mark.parametrize("hostile", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)", ""])
def test_a_hostile_next_leads_home(somebody: Somebody, hostile: str) -> None:
    there = somebody.post("/reauthenticate/", {"next": hostile})["Location"]

    back = somebody.get(somebody.pool.authorize(there, somebody.person))

    assert somebody.get(back["Location"])["Location"] == "/"


def test_beginning_takes_a_form_of_ours(somebody: Somebody) -> None:
    somebody.handler.enforce_csrf_checks = True

    assert somebody.post("/reauthenticate/", {"next": TARGET}).status_code == 403


# --- The round trip


def test_the_request_asks_for_a_new_sign_in_of_this_person(somebody: Somebody) -> None:
    there = somebody.post("/reauthenticate/", {"next": TARGET})["Location"]

    query = parse_qs(urlsplit(there).query)
    assert there.startswith(f"{somebody.pool.base_url}/oauth2/authorize?")
    assert (query["prompt"], query["max_age"]) == (["login"], ["900"])
    assert query["login_hint"] == ["sam@example.com"]
    assert query["code_challenge_method"] == ["S256"]


def test_signing_in_anew_leads_back_to_where_they_were(somebody: Somebody) -> None:
    before = somebody.row

    response = somebody.confirm()

    assert (response.status_code, response["Location"]) == (302, TARGET)
    assert somebody.row.has_recent_sign_in(utc_now())
    assert EndedSession.objects.get(public_id=before.public_id).reason == EndReason.REPLACED


def test_a_hosted_ui_that_does_not_ask_is_found_out(somebody: Somebody, pool: FakeUserPool) -> None:
    pool.managed_login = False

    response = somebody.confirm()

    assert response.status_code == 200
    assert "does not say that you have signed in anew" in words(response)
    assert 'value="sign-out"' in response.content.decode()
    assert not somebody.row.has_recent_sign_in(utc_now())


def test_signing_out_there_makes_such_a_hosted_ui_ask(somebody: Somebody, pool: FakeUserPool) -> None:
    pool.managed_login = False
    somebody.confirm()

    response = somebody.confirm("sign-out")

    assert response["Location"] == TARGET
    assert pool.calls.count("logout") == 1
    assert somebody.row.has_recent_sign_in(utc_now())


def test_signing_in_by_way_of_the_sign_out_is_bound_to_this_browser_too(somebody: Somebody) -> None:
    there = somebody.post("/reauthenticate/", {"next": TARGET, "how": "sign-out"})["Location"]

    query = parse_qs(urlsplit(there).query)
    assert there.startswith(f"{somebody.pool.base_url}/logout?")
    assert "logout_uri" not in query  # it would win
    assert query.keys() >= {"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge"}


@pytest.mark.parametrize("auth_time", ["stale", "absent"])
def test_a_user_pool_that_never_confirms_gets_an_honest_page(
    somebody: Somebody, pool: FakeUserPool, auth_time: str
) -> None:
    old = (utc_now() - timedelta(hours=3)).timestamp()
    pool.tamper(
        "id_token",
        lambda claims: (
            {k: v for k, v in claims.items() if k != "auth_time"}
            | ({"auth_time": int(old)} if auth_time == "stale" else {})
        ),
        times=2,
    )
    somebody.confirm()

    response = somebody.confirm("sign-out")

    assert response.status_code == 200
    assert "still does not confirm" in words(response)
    assert "Request id" in words(response)
    assert 'value="sign-out"' not in response.content.decode()


def test_cancelling_loses_nothing(somebody: Somebody, pool: FakeUserPool) -> None:
    there = somebody.post("/reauthenticate/", {"next": TARGET})["Location"]

    cancelled = somebody.get(pool.cancel(there))

    assert "Sign-in was cancelled" in words(cancelled)
    again = somebody.get(cancelled.context["action_url"])
    assert "Confirm that it is you" in words(somebody.get(again["Location"]))


# --- Somebody else


def test_who_signs_in_instead_is_not_led_on(somebody: Somebody, pool: FakeUserPool) -> None:
    other = pool.add_person("other@example.com", name="Otto Other")
    there = somebody.post("/reauthenticate/", {"next": TARGET})["Location"]

    back = somebody.get(pool.authorize(there, other))
    response = somebody.get(back["Location"])

    assert response.status_code == 200
    assert "You are signed in as other@example.com now" in words(response)
    assert TARGET not in response.content.decode()


def test_a_link_for_somebody_else_leads_nowhere(somebody: Somebody) -> None:
    assert "Somebody else signed in" in words(somebody.get(question(person=str(uuid4()))))


def test_nobody_can_begin(pool: FakeUserPool, db: None) -> None:
    assert Client().post("/reauthenticate/", {"next": TARGET})["Location"] == "/login/?next=%2F"
