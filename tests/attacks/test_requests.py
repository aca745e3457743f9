"""Requests that other sites make browsers send, and requests that no browser would: nothing changes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.ending import end_session
from accounts.models import AuthorizationRequest, EndReason, Event, Revocation, Session
from tests.attacks.support import addresses, everything
from tests.conftest import Browser
from tests.dashboard.console.support import make_revocation, make_session
from tests.fake_user_pool import FakeUserPool
from tests.fuzz.browsers import origin_of
from tests.fuzz.test_next import SPELLINGS

pytestmark = pytest.mark.django_db

SITE = "http://testserver"
SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7|add:7 }}{% csrf_token %}"
# Without a session, by design: reports of browsers, which write one line into the log.
TAKES_ANY_POST = {"/csp-report/"}
REASONS = ("reason", "here-reason", "everywhere-reason", "retry-reason", "give_up-reason")
FIELDS = dict.fromkeys((*REASONS, "note", "language"), "because")


@pytest.fixture(autouse=True)
def no_probe(settings: Settings) -> None:
    """Keep what is due by itself out of these tests."""
    settings.COGNITO_PROBE_SECONDS = 10**6


@pytest.fixture
def ids(user: Browser) -> list[UUID]:
    """What an address of the app can name: a live session, an ended one, a person, a revocation."""
    now: datetime = timezone.now()
    row = user.row
    ended = end_session(make_session(row.person, now), EndReason.OPERATOR, now=now)
    assert ended is not None
    return [row.public_id, ended.pk, row.person.pk, make_revocation(row, now).pk]


def test_no_address_changes_anything_by_being_opened(admin: Browser, user: Browser, ids: list[UUID]) -> None:
    """An image, a prefetch or a link: whatever a page makes a browser GET."""
    before = everything(AuthorizationRequest)

    for browser in (admin, user, Client()):
        for address in addresses(ids):
            for method in ("get", "head"):
                getattr(browser, method)(address, {"_method": "POST", **FIELDS}, headers={"X-HTTP-Method": "POST"})

    assert everything(AuthorizationRequest) == before


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_form_without_its_token_changes_anything(
    admin: Browser, user: Browser, ids: list[UUID], method: str
) -> None:
    before = everything()
    for browser in (admin, user):
        browser.handler.enforce_csrf_checks = True

    statuses = {
        (address, getattr(browser, method)(address, FIELDS if method == "post" else "x").status_code)
        for browser in (admin, user)
        for address in addresses(ids)
        if address not in TAKES_ANY_POST
    }

    assert {status for _, status in statuses} <= {403, 404, 405}
    assert everything() == before


def test_no_form_of_another_site_changes_anything_even_with_the_right_token(
    admin: Browser, user: Browser, ids: list[UUID]
) -> None:
    before = everything()

    statuses = {
        browser.post(address, FIELDS, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status_code
        for site in ("cross-site", "same-site")
        for browser in (admin, user)
        for address in addresses(ids)
        if address not in TAKES_ANY_POST
    }

    assert statuses <= {403, 404}
    assert everything() == before


def test_an_outsider_changes_and_learns_nothing_by_any_form(outsider: Browser, user: Browser, ids: list[UUID]) -> None:
    """Everything that can be posted about the user's sessions, by somebody else who is signed in."""
    theirs = Session.objects.filter(user=user.row.user_id)
    before = list(theirs.values_list("pk", flat=True))
    states = list(Revocation.objects.values_list("state", flat=True))

    for address in addresses(ids):
        if not address.startswith(("/logout/", "/reauthenticate/", "/language/")):
            answer = outsider.post(address, FIELDS)
            assert user.person.email not in answer.content.decode()

    assert list(theirs.values_list("pk", flat=True)) == before
    assert list(Revocation.objects.values_list("state", flat=True)) == states


def test_every_page_leads_to_signing_out(admin: Browser, user: Browser, ids: list[UUID]) -> None:
    answers = {address: admin.get(address) for address in addresses(ids)}

    pages = {
        address: answer for address, answer in answers.items() if answer.get("Content-Type", "").startswith("text/html")
    }
    shown = {address: answer.content.decode() for address, answer in pages.items() if answer.status_code == 200}
    assert len(shown) > 20
    assert [address for address, page in shown.items() if '/logout/"' not in page] == []


# --- Where a response leads


def leads(response: Any) -> str:
    return origin_of(response["Location"], f"{SITE}/callback/")


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_no_place_to_go_leads_to_another_site(visitor: Browser, pool: FakeUserPool, spelling: str) -> None:
    """Each way in which a request names where to go next, from the link to the last redirect."""
    chosen = visitor.post("/language/", {"next": spelling, "language": "de"}, headers={"Referer": spelling})
    arrived = visitor.sign_in(spelling)
    passed = visitor.get("/login/", {"next": spelling})
    proved = visitor.get("/reauthenticate/", {"next": spelling})
    asked = visitor.post("/reauthenticate/", {"next": spelling})

    assert {leads(response) for response in (chosen, arrived, passed, proved)} == {SITE}
    assert leads(asked) == pool.base_url
    back = pool.authorize(asked["Location"], visitor.person)
    assert leads(visitor.get(back)) == SITE


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"X-Host": "evil.example", "X-Forwarded-Server": "evil.example"},
        {"Forwarded": "host=evil.example;proto=http"},
        {"X-Original-URL": "/console/", "X-Rewrite-URL": "/console/"},
        {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "666", "X-Forwarded-Prefix": "//evil.example"},
        {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_what_a_request_says_of_its_host_is_not_believed(user: Browser, headers: dict[str, str]) -> None:
    pages = {path: user.get(path, headers=headers) for path in ("/", "/login/?next=/", "/sessions/", "/logout/", "/x/")}

    for response in pages.values():
        assert "evil.example" not in response.content.decode() + str(response.headers)
        assert response.headers.get("Location", "/").startswith("/")
    assert "Sign-in sessions" not in pages["/"].content.decode()
    assert not [name for name in pages["/"].headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver:80@evil.example", "", "a b"])
def test_another_host_gets_no_page_and_no_redirect(client: Client, pool: FakeUserPool, host: str) -> None:
    for path in ("/", "/login/", "/sessions"):
        response = client.get(path, headers={"Host": host})

        assert response.status_code == 400
        assert "evil.example" not in response.content.decode()


@pytest.mark.parametrize(
    "value", ["a\r\nX-Evil: 1", "a\nSet-Cookie: session=x", "%0d%0aX-Evil:%201", "\u560d\u560aX: 1"]
)
def test_no_value_begins_a_header_of_its_own(visitor: Browser, value: str) -> None:
    for path, query in (
        ("/login/", {"next": f"/{value}", "lang": value, "login_hint": value}),
        ("/callback/", {"state": value, "error": value}),
        ("/profile/", {"a": value}),
        (f"/nowhere/{value}", {}),
    ):
        response = visitor.get(path, query, headers={"X-Request-ID": value})

        assert "X-Evil" not in response.headers
        assert not {"\r", "\n"} & set("".join(response.headers.values()))
        assert "session" not in response.cookies


# --- What people and Cognito call things


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_script_in_anything_people_and_cognito_name_stays_text(pool: FakeUserPool, admin: Browser, accept: str) -> None:
    attributes = {"name": SCRIPT, "given_name": SCRIPT, "custom:cost_centre": SCRIPT, "locale": SCRIPT}
    person = pool.add_person("mallory@example.com", groups=[SCRIPT[:100]], **attributes)
    mallory = Browser(pool, person, headers={"User-Agent": f"Mozilla/5.0 {SCRIPT} Firefox/{SCRIPT}"})
    mallory.sign_in(f"/sessions/?{SCRIPT}")
    row = mallory.row
    Event.objects.record(Event.Kind.REFRESH_FAILED, row, now=timezone.now(), detail=SCRIPT)
    revocation = make_revocation(row, timezone.now(), last_error=SCRIPT, attempts=1)
    named = [row.public_id, row.person.pk, revocation.pk]

    answers = {
        address: browser.get(address, {"q": SCRIPT, "error": SCRIPT, "error_description": SCRIPT, "next": SCRIPT})
        for browser in (mallory, admin)
        for address in (*addresses(named), "/nowhere/<script>alert(1)</script>/")
    }

    assert any("alert(1)" in answer.getvalue().decode() for answer in answers.values())
    for address, answer in answers.items():
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            page = answer.getvalue().decode()
            assert not re.search(r"<script>|<img src=x|onerror=alert\(2\)>", page), address
            assert "{{ 7|add:7 }}" in page or "14" not in re.findall(r"<code>(\d+)</code>", page), address
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", address


# --- Too much, and not text


@pytest.mark.parametrize(
    "body",
    [b"a=" + b"x" * 3_000_000, b"&".join(b"a%d=1" % number for number in range(1500)), b"\xff\xfe\x00", b"a=%00&b=%ff"],
    ids=["3 MB", "1500 fields", "no text", "null bytes"],
)
def test_a_body_nobody_would_send_is_refused_and_changes_nothing(
    user: Browser, ids: list[UUID], settings: Settings, body: bytes
) -> None:
    before = everything()

    for path in (
        "/language/",
        "/reauthenticate/",
        f"/sessions/{ids[1]}/revoke/",
        "/csp-report/",
        "/logout/everywhere/x",
    ):
        response = user.post(path, body, content_type="application/x-www-form-urlencoded")

        assert response.status_code < 500
    assert everything(AuthorizationRequest) == {
        name: rows for name, rows in before.items() if name != "AuthorizationRequest"
    }
