"""The start of a sign-in: GET /login/."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import AuthorizationRequest, Session
from tests.accounts.support import problem_name
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

pytestmark = pytest.mark.django_db

HOSTILE = [
    "https://evil.example.com/",
    "http://evil.example.com/",
    "//evil.example.com/",
    "///evil.example.com/",
    "////evil.example.com/",
    "/\\evil.example.com/",
    "\\\\evil.example.com/",
    "\\/evil.example.com/",
    "/\t/evil.example.com/",
    "\t//evil.example.com/",
    "\n//evil.example.com/",
    " //evil.example.com/",
    "\x00//evil.example.com/",
    "\x08//evil.example.com/",
    "http:evil.example.com",
    "http:/evil.example.com",
    "http:///evil.example.com",
    "https:evil.example.com",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://testserver/",
    "http://testserver@evil.example.com/",
    "http://testserver:80@evil.example.com/",
    "http://testserver.evil.example.com/",
    "http://evil.example.com#testserver",
    "http://evil.example.com\\@testserver/",
    "http://testserver\\.evil.example.com/",
    "http://[::1",
    "http://\u3000evil.example.com/",
    "//evil。example。com/",
    "/" + "a" * 2000,
]
FRIENDLY = [
    "/",
    "/sessions/",
    "/profile/?tab=mfa&x=1#top",
    "http://testserver/sessions/",
    "/%2F%2Fevil.example.com",
    "/grüße/😀?q=ä",
    "/a?next=//evil.example.com",
]


def test_login_leads_to_the_hosted_ui(client: Client, pool: FakeUserPool) -> None:
    response = client.get("/login/")

    assert response.status_code == 302
    assert response["Location"].startswith(f"{pool.base_url}/oauth2/authorize?")
    assert "no-store" in response["Cache-Control"]


def test_every_sign_in_has_state_nonce_and_challenge_of_its_own(client: Client, pool: FakeUserPool) -> None:
    queries = [parse_qs(urlsplit(client.get("/login/")["Location"]).query) for _ in range(3)]

    for name in ("state", "nonce", "code_challenge"):
        assert len({query[name][0] for query in queries}) == 3
    assert {query["code_challenge_method"][0] for query in queries} == {"S256"}


def test_login_stores_no_secret_in_the_clear(client: Client, pool: FakeUserPool) -> None:
    query = parse_qs(urlsplit(client.get("/login/?next=/profile/")["Location"]).query)

    row = AuthorizationRequest.objects.values().get()

    stored = " ".join(map(str, row.values()))
    cookies = [morsel.value for morsel in client.cookies.values()]
    for secret in [query["state"][0], query["nonce"][0], *cookies, "/profile/"]:
        assert secret not in stored


def test_login_opens_no_session(client: Client, pool: FakeUserPool) -> None:
    client.get("/login/")

    assert not Session.objects.exists()
    assert list(client.cookies) == ["gatehouse_browser"]


def test_the_browser_cookie_is_out_of_reach_for_scripts_and_other_sites(client: Client, pool: FakeUserPool) -> None:
    cookie = client.get("/login/").cookies["gatehouse_browser"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]


def test_over_https_the_browser_cookie_is_pinned_to_the_host(
    client: Client, pool: FakeUserPool, settings: Settings
) -> None:
    settings.SESSION_COOKIE_SECURE = True

    cookie = client.get("/login/", secure=True).cookies["__Host-gatehouse_browser"]

    assert cookie["secure"]


@pytest.mark.parametrize(
    "value", ["", "short", "x" * 44, "ä" * 43, "x" * 42 + "\n", "x" * 100_000, '"' + "x" * 41 + '"']
)
def test_a_browser_cookie_that_is_none_of_ours_is_replaced(client: Client, pool: FakeUserPool, value: str) -> None:
    client.cookies["gatehouse_browser"] = value

    client.get("/login/")

    assert client.cookies["gatehouse_browser"].value != value
    assert len(client.cookies["gatehouse_browser"].value) == 43


def test_hints_are_passed_on(client: Client, pool: FakeUserPool) -> None:
    response = client.get("/login/", {"login_hint": "ann@example.com", "lang": "de", "state": "mine", "scope": "all"})

    query = parse_qs(urlsplit(response["Location"]).query)
    assert query["login_hint"] == ["ann@example.com"]
    assert query["lang"] == ["de"]
    assert "mine" not in response["Location"]
    assert query["scope"] == [" ".join(pool.scopes)]


def test_who_is_signed_in_goes_straight_on(user: Browser) -> None:
    response = user.get("/login/", {"next": "/sessions/"})

    assert response.status_code == 302
    assert response["Location"] == "/sessions/"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "head", "options"])
def test_login_is_for_get_only(client: Client, pool: FakeUserPool, method: str) -> None:
    response = getattr(client, method)("/login/")

    assert response.status_code == 405
    assert not AuthorizationRequest.objects.exists()


# --- Floods


def test_a_flood_from_many_addresses_fills_the_table_to_its_bound_and_no_further(
    client: Client, pool: FakeUserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AuthorizationRequest, "SHELF_DIGITS", 1)
    monkeypatch.setattr(AuthorizationRequest, "MOST_PER_SHELF", 3)

    for number in range(200):
        client.cookies.clear()
        client.get("/login/", REMOTE_ADDR=f"203.0.113.{number}")

    assert AuthorizationRequest.objects.count() == 16 * 3


def test_in_a_flood_the_oldest_requests_make_room(
    visitor: Browser, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AuthorizationRequest, "SHELF_DIGITS", 0)
    monkeypatch.setattr(AuthorizationRequest, "MOST_PER_SHELF", 20)
    for _ in range(50):
        client.get("/login/")
        client.cookies.clear()

    response = visitor.sign_in("/sessions/")

    assert response["Location"] == "/sessions/"


def test_answered_requests_count_as_well(visitor: Browser, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AuthorizationRequest, "SHELF_DIGITS", 0)
    monkeypatch.setattr(AuthorizationRequest, "MOST_PER_SHELF", 1)
    visitor.sign_in()

    client.get("/login/")

    assert not AuthorizationRequest.objects.exclude(answered_at=None).exists()


# --- Where to afterwards


@pytest.mark.parametrize("next_url", HOSTILE)
def test_a_hostile_next_leads_home(visitor: Browser, next_url: str) -> None:
    response = visitor.sign_in(next_url)

    assert response["Location"] == "/"


@pytest.mark.parametrize("next_url", HOSTILE)
def test_a_hostile_next_leads_who_is_signed_in_home(user: Browser, next_url: str) -> None:
    response = user.get("/login/", {"next": next_url})

    assert response["Location"] == "/"


@pytest.mark.parametrize("next_url", FRIENDLY)
def test_a_next_on_this_site_is_followed(visitor: Browser, next_url: str) -> None:
    response = visitor.sign_in(next_url)

    assert response.status_code == 302
    assert response["Location"].isascii()
    location = urlsplit(response["Location"])
    assert location.netloc in {"", "testserver"}
    assert location.path[:2] != "//"
    assert location.path == urlsplit(next_url).path or not next_url.isascii()


@pytest.mark.parametrize(
    "next_url", ["/a\r\nSet-Cookie: evil=1", "/a\nLocation: //evil.example.com", "/a\x00b", "/\ud83d"]
)
def test_control_characters_in_next_stay_inside_the_address(visitor: Browser, next_url: str) -> None:
    response = visitor.sign_in(next_url.encode("utf-8", "replace").decode())

    assert response.status_code == 302
    assert response["Location"].isprintable()
    assert urlsplit(response["Location"]).netloc == ""
    assert "evil" not in response.cookies


@pytest.mark.parametrize("next_url", ["nowhere", "revoke_session", "accounts", "a b"])
def test_a_next_that_is_no_path_breaks_no_sign_in(visitor: Browser, next_url: str) -> None:
    response = visitor.sign_in(next_url)

    assert response.status_code == 302


def test_a_next_that_is_no_path_breaks_nothing_for_who_is_signed_in(user: Browser) -> None:
    response = user.get("/login/", {"next": "nowhere"})

    assert response.status_code == 302


def test_a_next_is_an_address_and_never_a_route_name(user: Browser) -> None:
    response = user.get("/login/", {"next": "logout"})

    assert response["Location"] != "/logout/"


def test_a_long_next_in_another_script_is_followed(visitor: Browser) -> None:
    response = visitor.sign_in("/" + "ü" * 1900)

    assert response.status_code == 302
    assert response["Location"].startswith("/%C3%BC")


def test_next_is_the_first_place_to_go_even_if_it_is_the_login_page(visitor: Browser) -> None:
    response = visitor.get(visitor.sign_in("/login/")["Location"], follow=True)

    assert response.status_code == 200
    assert response.wsgi_request.path == "/"


# --- The user pool's address


def test_a_user_pool_that_is_down_is_no_concern_of_this_page(client: Client, pool: FakeUserPool) -> None:
    with pool.down():
        response = client.get("/login/")

    assert response.status_code == 302


def test_a_foreign_host_is_refused(client: Client, pool: FakeUserPool) -> None:
    response = client.get("/login/", headers={"host": "evil.example.com"})

    assert response.status_code == 400
    assert "evil" not in response.headers.get("Location", "")


def test_cancelling_shows_a_way_back_to_where_one_wanted_to_go(visitor: Browser, pool: FakeUserPool) -> None:
    address = pool.cancel(visitor.start_sign_in("/sessions/"))

    response = visitor.get(address)

    assert response.status_code == 200
    assert problem_name(response) == "cancelled"
    assert response.context["action_url"] == "/login/?next=%2Fsessions%2F"
    assert not Session.objects.exists()
