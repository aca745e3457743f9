from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.log import RequestIdFilter, request_id_in_log
from accounts.middleware import AuthenticationMiddleware, FreshTokensMiddleware, RequestIdMiddleware
from accounts.models import EndedSession, EndReason, Session
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

JSON = {"accept": "application/json"}


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{getattr(request, 'id', '')}")


# --- The request id


@pytest.fixture
def behind_a_proxy(settings: Settings) -> None:
    """Trust the test client's address as that of a proxy."""
    settings.TRUSTED_PROXIES = ["127.0.0.1"]


@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize("given", ["abcdefgh", "Root-1_67891233-abcdef012345678912345678", "x" * 64])
def test_a_request_id_of_the_proxy_that_looks_like_one_is_kept(given: str) -> None:
    response = RequestIdMiddleware(page)(RequestFactory().get("/", headers={"X-Request-ID": given}))  # type: ignore[arg-type]

    assert response["X-Request-ID"] == given
    assert response.content.decode() == given


@pytest.mark.parametrize("trusted", [[], ["10.0.0.0/8"]])
@pytest.mark.parametrize("peer", ["203.0.113.9", "", "unix:"])
def test_a_request_id_of_anybody_else_is_replaced(settings: Settings, trusted: list[str], peer: str) -> None:
    settings.TRUSTED_PROXIES = trusted
    request: Any = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Request-ID": "chosen-by-a-stranger"})

    response = RequestIdMiddleware(page)(request)

    assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])


@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize(
    "given",
    [
        "",
        "short",
        "x" * 65,
        "with space",
        "abcdefgh\r\nSet-Cookie: a=b",
        "abcdefgh\n",
        "<script>alert(1)</script>",
        "äöüäöüäöü",
        "${jndi:ldap}",
    ],
)
def test_any_other_request_id_is_replaced(given: str) -> None:
    request: Any = RequestFactory().get("/")
    request.META["HTTP_X_REQUEST_ID"] = given

    response = RequestIdMiddleware(page)(request)

    assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])


def test_two_requests_have_two_ids(client: Client, pool: FakeUserPool) -> None:
    assert client.get("/")["X-Request-ID"] != client.get("/")["X-Request-ID"]


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/healthz", "/login/", "/callback/", "/sessions/"])
def test_every_response_has_an_id(client: Client, pool: FakeUserPool, db: None, path: str) -> None:
    assert client.get(path)["X-Request-ID"]


def test_a_refused_host_has_an_id_too(client: Client, pool: FakeUserPool) -> None:
    response = client.get("/", headers={"host": "evil.example.com"})

    assert response.status_code == 400
    assert response["X-Request-ID"]


@pytest.mark.parametrize("path", ["/nowhere/", "/callback/"])
def test_every_error_page_shows_the_id(client: Client, pool: FakeUserPool, db: None, path: str) -> None:
    response = client.get(path)

    assert response["X-Request-ID"] in response.content.decode()


def test_a_page_that_breaks_shows_the_id(user: Browser, settings: Settings) -> None:
    user.raise_request_exception = False
    settings.COGNITO_USER_POOL_ID = "malformed"

    response = user.get("/tokens/")

    assert response.status_code == 500
    assert response["X-Request-ID"] in response.content.decode()
    assert "Traceback" not in response.content.decode()


def test_the_id_stands_in_every_record_of_the_request() -> None:
    record = logging.makeLogRecord({"msg": "hello"})

    with request_id_in_log("the-id"):
        RequestIdFilter().filter(record)

    assert record.__dict__["request_id"] == "the-id"


def test_outside_a_request_the_record_has_a_dash() -> None:
    record = logging.makeLogRecord({"msg": "hello"})

    RequestIdFilter().filter(record)

    assert record.__dict__["request_id"] == "-"


# --- What must stand before what


def test_without_our_sessions_authentication_says_what_to_do() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"SESSION_ENGINE to 'accounts\.sessions'.*SessionMiddleware"):
        AuthenticationMiddleware(page).process_request(RequestFactory().get("/"))


def test_without_authentication_fresh_tokens_say_what_to_do() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"before.*FreshTokensMiddleware.*MIDDLEWARE"):
        FreshTokensMiddleware(page)(RequestFactory().get("/"))


@pytest.mark.parametrize("name", ["CognitoErrorMiddleware", "LoginRequiredMiddleware"])
def test_without_fresh_tokens_the_others_say_what_to_do(
    client: Client, settings: Settings, db: None, name: str
) -> None:
    left_out = {"CognitoErrorMiddleware", "LoginRequiredMiddleware", "FreshTokensMiddleware"} - {name}
    settings.MIDDLEWARE = [entry for entry in settings.MIDDLEWARE if entry.rpartition(".")[2] not in left_out]

    with pytest.raises(ImproperlyConfigured, match="FreshTokensMiddleware"):
        client.get("/sessions/")


# --- Who is let in


@pytest.mark.parametrize("path", ["/profile/", "/sessions/", "/tokens/"])
def test_who_is_not_signed_in_is_asked_to_and_led_back(visitor: Browser, path: str) -> None:
    response = visitor.get(path + "?a=1&b=2")

    assert response.status_code == 302
    assert response["Location"] == f"/login/?next={path}%3Fa%3D1%26b%3D2"


@pytest.mark.parametrize("path", ["/profile/", "/sessions/", "/tokens/"])
@pytest.mark.parametrize("accept", ["application/json", "application/json, text/html;q=0.5"])
def test_who_wants_json_is_told_in_json(visitor: Browser, path: str, accept: str) -> None:
    response = visitor.get(path, headers={"accept": accept})

    assert response.status_code == 401
    assert response.json() == {"error": "login_required"}


@pytest.mark.parametrize(
    "accept", ["", "*/*", "text/html", "text/html, application/json;q=0.9", "nonsense", "/", ";q=,"]
)
def test_everybody_else_gets_a_page(visitor: Browser, accept: str) -> None:
    assert visitor.get("/sessions/", headers={"accept": accept}).status_code == 302


@pytest.mark.parametrize("path", ["/", "/profile/", "/sessions/", "/tokens/", "/logout/", "/api/session/"])
def test_private_pages_stay_out_of_every_cache(user: Browser, path: str) -> None:
    response = user.get(path)

    assert response.status_code == 200
    assert {"private", "no-store"} <= set(response["Cache-Control"].replace(",", " ").split())


# --- Errors of Cognito behind a view


def test_tokens_that_cognito_refuses_end_the_session(user: Browser, pool: FakeUserPool) -> None:
    pool.sign_out_everywhere(user.person)

    response = user.get("/profile/")

    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.ACCESS_REFUSED
    assert response.context["action_url"] == "/login/?next=%2Fprofile%2F"
    assert EndedSession.objects.get().reason == EndReason.ACCESS_REFUSED


def test_a_server_that_lacks_the_key_says_so_and_signs_nobody_out(user: Browser, settings: Settings) -> None:
    ring = settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = ["YW5vdGhlci1rZXktMDEyMzQ1Njc4OWFiY2RlZjAxMjM"]

    response = user.get("/tokens/")

    assert response.status_code == 503
    assert response.context["problem"].name == "key_missing"
    settings.TOKEN_ENCRYPTION_KEYS = ring
    assert user.get("/tokens/").status_code == 200


def test_damaged_tokens_end_the_session(user: Browser) -> None:
    row = user.row
    Session.objects.update(token_set_sealed=row.token_set_sealed[:-8] + "AAAAAAAA")

    response = user.get("/tokens/")

    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.UNREADABLE
    assert user.get("/api/session/").status_code == 401


def test_the_profile_of_somebody_else_is_never_shown(user: Browser, outsider: Browser, pool: FakeUserPool) -> None:
    user.person.sub, outsider.person.sub = outsider.person.sub, user.person.sub

    response = user.get("/profile/")

    assert response.status_code == 400
    assert "uma" not in response.content.decode().lower()


def test_a_configuration_alarm_of_getuser_ends_no_session(user: Browser, pool: FakeUserPool) -> None:
    pool.fail("GetUser", "ResourceNotFoundException")

    assert user.get("/profile/").status_code < 500
    assert user.get("/sessions/").status_code == 200


def test_a_json_client_learns_that_its_session_has_ended(user: Browser, pool: FakeUserPool) -> None:
    pool.sign_out_everywhere(user.person)

    response = user.get("/profile/", headers=JSON)

    assert response.status_code == 401
    assert response.json() == {"error": "session_ended"}
