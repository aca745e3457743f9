"""Whatever a browser sends: our own pages answer, none of them with a traceback, and nobody is signed in by it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import Session
from tests.conftest import Browser
from tests.fuzz.support import FUZZ

pytestmark = pytest.mark.django_db(transaction=True)

# What a query string or a cookie can spell: any character, no half of one.
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
CONTROL = st.text(st.characters(categories=["Cc", "Cf"]), max_size=8)
LONG = st.sampled_from(["a" * 10_000, "/" * 10_000, "é" * 5_000, "%00" * 3_000])
VALUES = (
    ANY
    | CONTROL
    | LONG
    | st.sampled_from(["", "null", "\0", "0", "-1", "None", "[]", "{}", "%", "%zz", "+", "\r\nX: y"])
)
CALLBACK_NAMES = (
    st.sampled_from(["state", "code", "error", "error_description", "error_uri", "iss", "scope", "next"]) | ANY
)
ERRORS = st.sampled_from(["access_denied", "login_required", "invalid_scope", "server_error", "unauthorized_client"])
OURS = {200, 302, 400, 401, 403, 404, 405}


def query(parameters: list[tuple[str, str]]) -> str:
    return urlencode(parameters)


def check(response: Any, statuses: set[int] = OURS) -> None:
    assert response.status_code in statuses
    location = response.headers.get("Location", "")
    assert not {"\r", "\n", "\0"} & set(location)
    if response.status_code not in {302, 405} and not response.streaming:
        assert response.headers["Content-Type"].partition(";")[0] in {"text/html", "application/json"}


def assert_nobody_is_signed_in() -> None:
    assert not Session.objects.filter(user__isnull=False).exists()


# --- The authorization response


@given(parameters=st.lists(st.tuples(CALLBACK_NAMES, VALUES | ERRORS), max_size=6))
@example(parameters=[("state", "a"), ("state", "b"), ("code", "c")])
@FUZZ
def test_an_authorization_response_out_of_thin_air_signs_nobody_in(
    visitor: Browser, parameters: list[tuple[str, str]]
) -> None:
    visitor.cookies.clear()
    visitor.start_sign_in()

    check(visitor.get(f"/callback/?{query(parameters)}"))

    assert_nobody_is_signed_in()


@given(parameters=st.lists(st.tuples(CALLBACK_NAMES, VALUES | ERRORS), min_size=1, max_size=6), repeated=st.booleans())
@FUZZ
def test_a_response_with_the_right_state_and_anything_else_signs_nobody_in(
    visitor: Browser, parameters: list[tuple[str, str]], repeated: bool
) -> None:
    visitor.cookies.clear()
    state = urlsplit(visitor.start_sign_in()).query.partition("state=")[2].partition("&")[0]
    others = [pair for pair in parameters if repeated or pair[0] != "state"]

    # No code of the user pool's is among them; 500 and 503 are pages of ours for what Cognito says about itself.
    check(visitor.get(f"/callback/?state={state}&{query(others)}"), OURS | {500, 503})

    assert_nobody_is_signed_in()


@given(
    raw=st.text("abc=&;?%+0123456789ABCDEF\\/", max_size=80) | st.binary(max_size=40).map(lambda b: b.decode("latin-1"))
)
@FUZZ
def test_a_query_string_that_is_no_query_string_signs_nobody_in(visitor: Browser, raw: str) -> None:
    for path in ("/callback/", "/login/", "/signed-out/", "/"):
        check(visitor.generic("GET", path, QUERY_STRING=raw))

    assert_nobody_is_signed_in()


# --- Sign-in


@given(
    parameters=st.lists(
        st.tuples(st.sampled_from(["next", "lang", "login_hint", "prompt", "max_age"]) | ANY, VALUES), max_size=5
    )
)
@FUZZ
def test_a_sign_in_link_with_anything_in_it_leads_to_the_hosted_ui(
    visitor: Browser, parameters: list[tuple[str, str]]
) -> None:
    response = visitor.get(f"/login/?{query(parameters)}")

    check(response)
    assert response["Location"].startswith(f"{visitor.pool.base_url}/")
    assert len(response["Location"]) < 8000


# --- Cookies

COOKIES = st.sampled_from(
    [
        "session",
        "csrf",
        "gatehouse_browser",
        "gatehouse_restarted",
        "gatehouse_signed_out",
        "messages",
        "django_language",
    ]
)
COOKIE_VALUES = (
    VALUES
    | st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=32, max_size=43)
    | st.from_regex(r"\A[0-9A-Za-z_-]{43}\Z")
    | st.from_regex(r"\A[\w. -]{1,36}:[0-9A-Za-z]{6}:[0-9A-Za-z_-]{43}\Z")
)
PAGES = [
    "/",
    "/login/",
    "/logout/",
    "/signed-out/",
    "/callback/",
    "/profile/",
    "/api/session/",
    "/console/",
    "/nowhere/",
]


def as_header(name: str, value: str) -> str:
    """Return a Cookie header as it reaches Django: bytes of UTF-8, read as latin-1."""
    return f"{name}={value}".encode().decode("latin-1").replace("\r", "").replace("\n", "")


@given(
    cookies=st.lists(st.tuples(COOKIES, COOKIE_VALUES), min_size=1, max_size=4),
    path=st.sampled_from(PAGES),
    posts=st.booleans(),
)
@FUZZ
def test_cookies_of_any_kind_are_no_way_in(
    visitor: Browser, cookies: list[tuple[str, str]], path: str, posts: bool
) -> None:
    browser = Client(enforce_csrf_checks=True)
    header = "; ".join(as_header(*cookie) for cookie in cookies)

    response = browser.generic("POST" if posts else "GET", path, HTTP_COOKIE=header, HTTP_ACCEPT_LANGUAGE="*")

    check(response)
    assert_nobody_is_signed_in()
    if path in {"/profile/", "/console/", "/api/session/"}:
        assert response.status_code in {302, 401, 403, 405}


@given(
    raw=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=200)
    | st.just("session=" + "x" * 10_000)
)
@FUZZ
def test_a_cookie_header_that_is_no_cookie_header_is_ignored(visitor: Browser, raw: str) -> None:
    for path in PAGES:
        check(visitor.generic("GET", path, HTTP_COOKIE=raw))


# --- Headers

HEADER_TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=100)
ADDRESS = (
    st.ip_addresses().map(str)
    | st.sampled_from(["::ffff:10.0.0.1", "fe80::1%eth0", "1" * 9000, "::" * 50, "0x7f.1"])
    | HEADER_TEXT
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_REQUEST_ID", "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_COOKIE"),
            *("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_IF_NONE_MATCH", "HTTP_RANGE", "CONTENT_TYPE"),
            *("HTTP_HX_REQUEST", "HTTP_TRACEPARENT", "HTTP_IF_MODIFIED_SINCE", "HTTP_HOST"),
        ]
    ),
    HEADER_TEXT,
    max_size=4,
)


@given(headers=HEADERS, path=st.sampled_from(PAGES), method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "BREW"]))
@FUZZ
def test_headers_of_any_kind_break_no_page(visitor: Browser, headers: dict[str, str], path: str, method: str) -> None:
    environ: dict[str, Any] = dict(headers)

    check(visitor.generic(method, path, **environ))


@given(
    user_agent=HEADER_TEXT | st.sampled_from(["Mozilla/5.0 " * 900, "Firefox/" + "9" * 5000, "\0Chrome/\x001"]),
    forwarded=st.lists(ADDRESS, max_size=6),
    trusted=st.sampled_from([["127.0.0.1"], ["0.0.0.0/0", "::/0"], ["10.0.0.0/8", "127.0.0.1/32"]]),
)
@FUZZ
def test_a_sign_in_succeeds_whatever_device_and_address_it_claims_to_come_from(
    visitor: Browser, settings: Settings, user_agent: str, forwarded: list[str], trusted: list[str]
) -> None:
    settings.TRUSTED_PROXIES = trusted
    Session.objects.all().delete()
    visitor.cookies.clear()
    visitor.defaults.update(HTTP_USER_AGENT=user_agent, HTTP_X_FORWARDED_FOR=", ".join(forwarded))

    check(visitor.sign_in())

    row = visitor.row
    assert "\0" not in row.browser + row.system
    check(visitor.get("/sessions/"))


# --- The console

CONSOLE = [
    "",
    "sessions/",
    "sessions.csv",
    "people/",
    "events/",
    "events.csv",
    "events.jsonl",
    "revocations/",
    "health/",
    "sessions/end/",
]
PARAMETERS = ["q", "health", "group", "browser", "age", "sort", "after", "before", "kind", "person", "session", "actor"]
PARAMETERS += ["since", "state", "when", "size", "page", "ids", "days", "hours", "client", "new", "flagged", "until"]
CURSORS = st.builds(
    lambda first, second: f"{first}{second}",
    st.datetimes().map(str) | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "infinity"]),
    st.sampled_from(["~", ",", "_", "|", ":", ""]).flatmap(
        lambda sep: (st.uuids().map(str) | st.integers().map(str)).map(lambda t: sep + t)
    ),
)
CONSOLE_VALUES = (
    VALUES
    | CURSORS
    | st.integers().map(str)
    | st.uuids().map(str)
    | st.sampled_from(["1h", "-1h", "late", "fresh", "9" * 400])
)


@given(
    path=st.sampled_from(CONSOLE),
    parameters=st.lists(st.tuples(st.sampled_from(PARAMETERS), CONSOLE_VALUES), max_size=5),
)
@FUZZ
def test_the_console_takes_any_query_string(admin: Browser, path: str, parameters: list[tuple[str, str]]) -> None:
    response: Any = admin.get(f"/console/{path}?{query(parameters)}")

    assert response.status_code in {200, 302, 400, 404, 405}
    list(response.streaming_content) if response.streaming else response.content
