"""The end of a sign-in: GET /callback/."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import TimeMachineFixture

from accounts.encryption import seal
from accounts.models import AuthorizationRequest, EndedSession, EndReason, Session, User
from tests.accounts.support import problem_name, utc_now
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool, Signing
from tests.fake_user_pool.web import Response, html, json_response

JSON = {"accept": "application/json"}
LATER = timedelta(minutes=15, seconds=1)


def answered(browser: Browser, next_url: str = "/sessions/") -> str:
    """Return the address of an authorization response to a sign-in of this browser."""
    return browser.pool.authorize(browser.start_sign_in(next_url), browser.person)


def with_query(address: str, **changes: str | list[str]) -> str:
    """Return an address with query parameters changed; an empty list takes one away."""
    parts = urlsplit(address)
    return f"{parts.path}?{urlencode(parse_qs(parts.query) | changes, doseq=True)}"


def close(browser: Browser) -> None:
    """Forget the session, and what a browser drops by itself: cookies that have expired."""
    expired = [name for name, cookie in browser.cookies.items() if cookie["max-age"] == 0]
    for name in [*expired, "session"]:
        browser.cookies.pop(name)


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


# --- state


@pytest.mark.parametrize(
    "state",
    [[], "", "forged", "x" * 43, "x" * 100_000, "\x00", "ä" * 43, "%00", "' OR 1=1 --", ["a", "b"]],
    ids=lambda state: repr(state)[:20],
)
def test_a_response_with_a_wrong_state_signs_nobody_in(
    visitor: Browser, pool: FakeUserPool, state: str | list[str]
) -> None:
    address = with_query(answered(visitor), state=state)

    response = visitor.get(address)

    assert response.status_code == 302
    assert response["Location"] == "/login/?next=%2F"
    assert pool.calls.count("token") == 0
    assert not Session.objects.exists()


def test_a_state_that_comes_twice_is_refused(visitor: Browser, pool: FakeUserPool) -> None:
    address = answered(visitor)

    visitor.get(with_query(address, state=[state_of(address)] * 2))

    assert pool.calls.count("token") == 0
    assert not Session.objects.exists()


def test_a_used_state_is_refused(visitor: Browser, pool: FakeUserPool) -> None:
    address = answered(visitor)
    visitor.get(address)
    close(visitor)

    response = visitor.get(address)

    assert response["Location"] == "/login/?next=%2Fsessions%2F"
    assert pool.calls.count("token") == 1
    assert Session.objects.count() == 1


def test_a_failed_sign_in_uses_the_state_up(visitor: Browser, pool: FakeUserPool) -> None:
    address = answered(visitor)
    pool.fail("token", Failure.UNAVAILABLE, times=1)
    visitor.get(address)

    visitor.get(address)

    assert pool.calls.count("token") == 1
    assert not Session.objects.exists()


def test_an_expired_state_is_refused(visitor: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture) -> None:
    address = answered(visitor)

    time_machine.move_to(utc_now() + LATER)
    response = visitor.get(address)

    assert response["Location"] == "/login/?next=%2Fsessions%2F"
    assert pool.calls.count("token") == 0


def test_the_response_to_another_browser_is_refused(visitor: Browser, outsider: Browser, pool: FakeUserPool) -> None:
    outsider.cookies.pop("session")
    outsider.get("/login/")
    calls = pool.calls.count("token")

    response = outsider.get(answered(visitor))

    assert response.status_code == 400
    assert problem_name(response) == "other_browser"
    assert pool.calls.count("token") == calls
    assert not Session.objects.filter(user__subject=visitor.person.sub).exists()


def test_a_response_that_another_browser_tried_still_works_in_the_right_one(
    visitor: Browser, outsider: Browser
) -> None:
    address = answered(visitor)
    outsider.get(address)

    response = visitor.get(address)

    assert response["Location"] == "/sessions/"
    assert visitor.row.person.subject == visitor.person.sub


def test_an_attackers_response_cannot_be_slipped_to_somebody(visitor: Browser, outsider: Browser) -> None:
    """Login CSRF: the victim's browser is sent to the callback with the attacker's code."""
    outsider.cookies.pop("session")
    attack = answered(outsider, "/")

    visitor.get("/login/")
    first, second = visitor.get(attack), visitor.get(attack)

    assert first["Location"].startswith("/login/")  # a sign-in of the browser's own, with nothing of the attacker's
    assert second.status_code == 400
    assert "session" not in visitor.cookies
    assert visitor.pool.calls.count("token") == 1  # the outsider's own sign-in


def test_an_attackers_code_with_the_victims_state_is_refused(visitor: Browser, outsider: Browser) -> None:
    outsider.cookies.pop("session")
    code = parse_qs(urlsplit(answered(outsider)).query)["code"]

    response = visitor.get(with_query(answered(visitor), code=code))

    assert response.status_code == 400
    assert problem_name(response) == "expired_link"
    assert "session" not in visitor.cookies


def test_without_a_cookie_the_page_says_so(visitor: Browser) -> None:
    address = answered(visitor)
    visitor.cookies.clear()

    response = visitor.get(address)

    assert response.status_code == 400
    assert problem_name(response) == "other_browser"


def test_an_error_is_not_looked_at_before_the_state(visitor: Browser, caplog: pytest.LogCaptureFixture) -> None:
    visitor.get("/login/")

    response = visitor.get("/callback/", {"error": "access_denied", "error_description": "of-a-stranger", "state": "x"})

    assert response["Location"] == "/login/?next=%2F"
    assert "of-a-stranger" not in caplog.text


# --- Several sign-ins at the same time


def test_parallel_tabs_each_lead_to_their_own_page(visitor: Browser) -> None:
    first, second = answered(visitor, "/profile/"), answered(visitor, "/sessions/")

    assert visitor.get(second)["Location"] == "/sessions/"
    assert visitor.get(first)["Location"] == "/profile/"


@pytest.mark.parametrize("plaintext", [b"{}", b'["a"]', b'[1, "b", "c"]', b"\xff", b"[" * 50_000])
def test_a_sign_in_that_another_version_began_starts_over(visitor: Browser, plaintext: bytes) -> None:
    response = visitor.pool.authorize(visitor.start_sign_in(), visitor.person)
    row = AuthorizationRequest.objects.get()
    row.sealed = seal(plaintext, bound_to=row.pk)
    row.save()

    assert visitor.get(response)["Location"].startswith("/login/")


def test_five_sign_ins_of_a_browser_may_be_pending(visitor: Browser) -> None:
    addresses = [answered(visitor, f"/?{number}") for number in range(5)]

    for number, address in enumerate(addresses):
        assert visitor.get(address)["Location"] == f"/?{number}"


def test_of_six_pending_sign_ins_the_oldest_is_dropped(visitor: Browser) -> None:
    addresses = [answered(visitor, f"/?{number}") for number in range(6)]

    assert AuthorizationRequest.objects.count() == 5
    assert visitor.get(addresses[0])["Location"].startswith("/login/")
    assert visitor.get(addresses[5])["Location"] == "/?5"


def test_the_sign_ins_of_another_browser_push_none_of_mine_out(visitor: Browser, outsider: Browser) -> None:
    outsider.cookies.pop("session")
    address = answered(visitor)

    for _ in range(10):
        outsider.start_sign_in()

    assert visitor.get(address)["Location"] == "/sessions/"


# --- Stale responses


def test_a_stale_response_leads_who_is_signed_in_on(visitor: Browser) -> None:
    address = answered(visitor)
    visitor.get(address)

    response = visitor.get(address)

    assert response["Location"] == "/sessions/"
    assert Session.objects.count() == 1


def test_a_stale_response_restarts_the_sign_in_once_and_not_in_a_loop(visitor: Browser) -> None:
    visitor.get("/login/")

    first, second = visitor.get("/callback/?state=stale"), visitor.get("/callback/?state=stale")

    assert first.status_code == 302
    assert second.status_code == 400
    assert problem_name(second) == "expired_link"


def test_after_a_success_a_sign_in_may_be_restarted_again(visitor: Browser) -> None:
    visitor.get("/login/")
    visitor.get("/callback/?state=stale")
    visitor.sign_in()
    close(visitor)

    response = visitor.get("/callback/?state=stale")

    assert response.status_code == 302


@pytest.mark.parametrize("path", ["/callback/", "/callback/?code=a", "/callback/?", "/callback/?error=access_denied"])
def test_the_callback_of_itself_leads_nowhere(client: Client, pool: FakeUserPool, db: None, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 400
    assert problem_name(response) == "other_browser"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "head", "options"])
def test_the_callback_is_for_get_only(visitor: Browser, method: str) -> None:
    address = answered(visitor)

    response = getattr(visitor, method)(address)

    assert response.status_code == 405
    assert not Session.objects.exists()


# --- Errors of the authorization response


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        ("access_denied", 200, "cancelled"),
        ("invalid_scope", 500, "misconfigured"),
        ("unauthorized_client", 500, "misconfigured"),
        ("unsupported_response_type", 500, "misconfigured"),
        ("server_error", 503, "unavailable"),
        ("temporarily_unavailable", 503, "unavailable"),
        ("invalid_request", 400, "provider_refused"),
        ("never_heard_of", 400, "provider_refused"),
        ("", 400, "provider_refused"),
        ("unknown_state\x00", 400, "provider_refused"),
        ("ü" * 5000, 400, "provider_refused"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_an_error_of_the_hosted_ui_has_its_page(visitor: Browser, error: str, status: int, name: str) -> None:
    address = with_query(answered(visitor), code=[], error=error)

    response = visitor.get(address)

    assert (response.status_code, problem_name(response)) == (status, name)
    assert response.context["action_url"] == "/login/?next=%2Fsessions%2F"
    assert not Session.objects.exists()


@pytest.mark.parametrize("error", ["other_browser", "no_browser", "unknown_state"])
def test_an_error_cannot_pretend_to_be_one_of_ours(visitor: Browser, error: str) -> None:
    response = visitor.get(with_query(answered(visitor), code=[], error=error))

    assert problem_name(response) == "provider_refused"


def test_login_required_asks_again_without_prompt(visitor: Browser) -> None:
    address = with_query(answered(visitor), code=[], error="login_required")

    response = visitor.get(address)

    assert response.status_code == 302
    assert response["Location"] == "/login/?next=%2Fsessions%2F"


def test_an_error_page_never_shows_what_the_query_says(visitor: Browser) -> None:
    script = "<script>alert(1)</script>"
    address = with_query(
        answered(visitor), code=[], error=f"invalid_request{script}", error_description=script, error_uri=script
    )

    response = visitor.get(address)

    assert response.status_code == 400
    assert "alert(1)" not in response.content.decode()


def test_what_the_query_says_is_logged_escaped_and_cut(visitor: Browser, caplog: pytest.LogCaptureFixture) -> None:
    forged = "No.\nERROR forged line \x1b[31m " + "x" * 5000
    address = with_query(answered(visitor), code=[], error="invalid_request", error_description=forged)

    visitor.get(address)

    [message] = [record.getMessage() for record in caplog.records if record.name == "accounts.error_pages"]
    assert "\n" not in message
    assert "\x1b" not in message
    assert len(message) < 500


@pytest.mark.parametrize("error", ["invalid_scope", "unauthorized_client", "server_error", "temporarily_unavailable"])
def test_nobody_raises_an_alarm_by_writing_an_error_into_an_address(
    visitor: Browser, caplog: pytest.LogCaptureFixture, error: str
) -> None:
    visitor.get(with_query(answered(visitor), code=[], error=error))

    logged = {record.name: record.levelname for record in caplog.records}
    assert logged["accounts.error_pages"] == "WARNING"
    assert "ERROR" not in logged.values()


def test_a_refusal_of_the_token_endpoint_is_an_error(
    visitor: Browser, pool: FakeUserPool, caplog: pytest.LogCaptureFixture
) -> None:
    pool.fail("token", "invalid_client")

    visitor.sign_in()

    assert [record.levelname for record in caplog.records if record.name == "accounts.error_pages"] == ["ERROR"]


def test_a_response_with_two_codes_signs_nobody_in(visitor: Browser, pool: FakeUserPool) -> None:
    address = answered(visitor)

    response = visitor.get(with_query(address, code=["a", "b"]))

    assert response.status_code == 400
    assert pool.calls.count("token") == 0


@pytest.mark.parametrize(
    "code", ["", "\x00", "ü" * 3000, "a b&c=d", "<script>", "x" * 60_000], ids=lambda code: repr(code)[:12]
)
def test_a_strange_code_is_sent_to_nobody(visitor: Browser, pool: FakeUserPool, code: str) -> None:
    response = visitor.get(with_query(answered(visitor), code=code))

    assert response.status_code == 400
    assert pool.calls.count("token") == 0
    assert "session" not in visitor.cookies


def test_somebody_whom_a_firewall_turns_away_keeps_nobody_else_from_signing_in(
    visitor: Browser, pool: FakeUserPool
) -> None:
    attacker = Browser(pool, pool.add_person("attacker@example.com"))
    pool.fail("token", html("<h1>403 Forbidden</h1>", 403))
    refused = [attacker.get(with_query(answered(attacker), code="union+select")).status_code for _ in range(6)]
    pool.recover()

    visitor.sign_in()

    assert set(refused) == {503}
    assert pool.calls.count("token") == 7
    assert "session" in visitor.cookies


# --- The token endpoint and the tokens


def spoil(pool: FakeUserPool, **claims: object) -> None:
    pool.tamper("id_token", lambda right: right | claims)


TROUBLE: dict[str, tuple[Callable[[FakeUserPool], object], int, str]] = {
    "code expired": (lambda pool: pool.fail("token", "invalid_grant"), 400, "expired_link"),
    "wrong client secret": (
        lambda pool: setattr(pool, "client_secrets", ["another"]),
        500,
        "misconfigured",
    ),
    "wrong redirect": (lambda pool: pool.fail("token", "unauthorized_client"), 500, "misconfigured"),
    "throttled": (lambda pool: pool.fail("token", Failure.THROTTLED), 503, "unavailable"),
    "internal error": (lambda pool: pool.fail("token", Failure.INTERNAL_ERROR), 503, "unavailable"),
    "closed": (lambda pool: pool.fail("token", Failure.CLOSED), 503, "unavailable"),
    "lost answer": (lambda pool: pool.fail("token", Failure.LOST_ANSWER), 503, "unavailable"),
    "HTML": (lambda pool: pool.fail("token", Failure.HTML), 503, "unavailable"),
    "truncated": (lambda pool: pool.fail("token", Failure.TRUNCATED_JSON), 503, "unavailable"),
    "wrong shape": (lambda pool: pool.fail("token", Failure.WRONG_SHAPE), 503, "unavailable"),
    "redirect": (lambda pool: pool.fail("token", Response(302, b"", {"Location": "/"})), 503, "unavailable"),
    "no refresh token": (
        lambda pool: pool.tamper("token_response", lambda it: it | {"refresh_token": ""}),
        400,
        "token_refused",
    ),
    "no ID token": (lambda pool: pool.fail("token", json_response({"access_token": "a"})), 503, "unavailable"),
    "keys down": (lambda pool: pool.fail("jwks", Failure.UNAVAILABLE), 503, "unavailable"),
    "keys nonsense": (lambda pool: pool.fail("jwks", json_response({"keys": []})), 503, "unavailable"),
    "clock ahead": (lambda pool: setattr(pool, "clock_skew", 120), 500, "clock"),
    "clock behind": (lambda pool: setattr(pool, "clock_skew", -7200), 500, "clock"),
    "another nonce": (lambda pool: spoil(pool, nonce="another"), 400, "token_refused"),
    "another audience": (lambda pool: spoil(pool, aud="another"), 400, "token_refused"),
    "stranger's key": (lambda pool: pool.tamper("id_token", signing=Signing.STRANGER_KEY), 400, "token_refused"),
    "no signature": (lambda pool: pool.tamper("access_token", signing=Signing.NONE), 400, "token_refused"),
}
every_trouble = pytest.mark.parametrize(("trouble", "status", "name"), TROUBLE.values(), ids=TROUBLE)


@every_trouble
def test_trouble_with_the_tokens_has_its_page(
    visitor: Browser, pool: FakeUserPool, trouble: Callable[[FakeUserPool], object], status: int, name: str
) -> None:
    address = answered(visitor)
    trouble(pool)

    response = visitor.get(address)

    assert (response.status_code, problem_name(response)) == (status, name)
    assert response.headers.get("Retry-After", "").isdigit() == (status == 503)
    assert response["X-Request-ID"] in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert response.context["action_url"] == "/login/?next=%2Fsessions%2F"
    assert "session" not in visitor.cookies
    assert not Session.objects.exists()


@every_trouble
def test_trouble_is_told_to_json_clients_in_json(
    visitor: Browser, pool: FakeUserPool, trouble: Callable[[FakeUserPool], object], status: int, name: str
) -> None:
    address = answered(visitor)
    trouble(pool)

    response = visitor.get(address, headers=JSON)

    assert response.status_code == status
    assert response.json() == {"error": name, "request_id": response["X-Request-ID"]}


def test_a_token_endpoint_that_is_down_has_its_page(visitor: Browser, pool: FakeUserPool) -> None:
    address = answered(visitor)

    with pool.down():
        response = visitor.get(address)

    assert (response.status_code, problem_name(response)) == (503, "unavailable")


def test_trouble_ends_no_session_that_is_there(user: Browser, pool: FakeUserPool) -> None:
    address = pool.authorize(_fresh_request(user), user.person)
    pool.fail("token", Failure.UNAVAILABLE)

    user.get(address)

    assert user.get("/sessions/").status_code == 200


# --- A success


def test_the_session_key_changes_at_sign_in(visitor: Browser) -> None:
    anonymous = visitor.session
    anonymous["basket"] = "of the anonymous"
    anonymous.save()
    before = visitor.cookies["session"].value

    visitor.sign_in()

    assert visitor.cookies["session"].value != before
    assert "basket" not in visitor.session
    assert Session.objects.count() == 1
    assert not EndedSession.objects.exists()


def test_a_planted_session_key_is_not_taken_over(visitor: Browser) -> None:
    visitor.cookies["session"] = "planted0by0somebody0else00000000"

    visitor.sign_in()

    assert visitor.cookies["session"].value != "planted0by0somebody0else00000000"


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_over_a_session_replaces_it_and_revokes_its_tokens(user: Browser, pool: FakeUserPool) -> None:
    before = user.row
    [sign_in] = pool.sign_ins.values()

    user.get(pool.authorize(_fresh_request(user), user.person))

    assert user.row.public_id != before.public_id
    assert EndedSession.objects.get().reason == EndReason.REPLACED
    assert sign_in.revoked
    assert user.get("/sessions/").status_code == 200


def test_a_sign_in_as_somebody_else_leaves_nothing_of_the_first(user: Browser, pool: FakeUserPool) -> None:
    other = pool.add_person("other@example.com")

    user.get(pool.authorize(_fresh_request(user), other))

    assert Session.objects.get().person.subject == other.sub
    assert user.get("/api/session/").json()["user"]["email"] == "other@example.com"


def test_the_session_cookie_is_out_of_reach_for_scripts(user: Browser) -> None:
    cookie = user.cookies["session"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_session_remembers_where_it_was_opened(visitor: Browser) -> None:
    address = answered(visitor)

    visitor.get(
        address,
        REMOTE_ADDR="203.0.113.9",
        headers={"user-agent": "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"},
    )

    assert visitor.row.ip_address == "203.0.113.9"
    assert visitor.row.browser == "Firefox 132"
    assert visitor.row.system == "Ubuntu"


@pytest.mark.parametrize("user_agent", ["", "\x00", "x" * 100_000, "🦊", "Mozilla/5.0 (" + "((((" * 1000])
def test_a_strange_user_agent_keeps_nobody_out(visitor: Browser, user_agent: str) -> None:
    response = visitor.get(answered(visitor), headers={"user-agent": user_agent})

    assert response["Location"] == "/sessions/"


# --- Accounts


def test_a_disabled_account_is_refused(visitor: Browser, pool: FakeUserPool) -> None:
    visitor.sign_in()
    User.objects.update(is_active=False)
    visitor.cookies.pop("session")

    response = visitor.sign_in()

    assert (response.status_code, problem_name(response)) == (403, "disabled")
    assert "session" not in visitor.cookies


@pytest.mark.django_db(transaction=True)
def test_the_tokens_of_a_disabled_account_do_not_live_on(visitor: Browser, pool: FakeUserPool) -> None:
    visitor.sign_in()
    User.objects.update(is_active=False)
    visitor.cookies.pop("session")

    visitor.sign_in()

    assert [sign_in.revoked for sign_in in pool.sign_ins.values()][-1]


def test_over_https_cookies_are_pinned_to_the_host(visitor: Browser, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME = "__Host-session"
    address = visitor.pool.authorize(visitor.get("/login/", secure=True)["Location"], visitor.person)

    visitor.get(address, secure=True)

    assert visitor.cookies["__Host-session"]["secure"]
    assert not visitor.cookies["__Host-session"]["domain"]


def _fresh_request(browser: Browser) -> str:
    """Return an authorization request that was begun in this browser before it was signed in."""
    key = browser.cookies.pop("session")
    request = browser.start_sign_in("/")
    browser.cookies["session"] = key.value
    return request
