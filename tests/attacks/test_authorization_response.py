"""Responses that the hosted UI did not send to this browser, and codes that are not of this sign-in."""

from __future__ import annotations

import ast
import inspect
import textwrap

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Session
from accounts.models.authorization import AuthorizationRequestManager
from tests.attacks.support import answered, is_signed_in, query_of, with_query
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

pytestmark = pytest.mark.django_db


def test_a_code_that_was_used_is_of_no_use_in_another_sign_in(visitor: Browser, pool: FakeUserPool) -> None:
    used = query_of(answered(visitor))
    visitor.get(with_query("/callback/", code=used["code"], state=used["state"]))
    thief = Browser(pool, pool.add_person("thief@example.com"))

    response = thief.get(with_query(answered(thief), code=used["code"]))

    assert response.status_code == 400
    assert not is_signed_in(thief)


def test_a_code_from_the_log_of_a_proxy_is_of_no_use_even_unused(visitor: Browser, pool: FakeUserPool) -> None:
    """Code injection: the attacker has the whole authorization response, and a sign-in of their own under way."""
    seen = answered(visitor)
    thief = Browser(pool, pool.add_person("thief@example.com"))

    first = thief.get(seen)
    second = thief.get(with_query(answered(thief), code=query_of(seen)["code"]))

    assert first.status_code == 400
    assert second.status_code == 400
    assert not is_signed_in(thief)


def test_a_code_of_another_tab_is_refused(visitor: Browser) -> None:
    first, second = answered(visitor), answered(visitor)

    response = visitor.get(with_query(first, code=query_of(second)["code"]))

    assert response.status_code == 400
    assert not is_signed_in(visitor)


def test_where_the_user_pool_forgets_the_challenge_the_nonce_still_holds(visitor: Browser, pool: FakeUserPool) -> None:
    """PKCE downgrade: an attacker's code, begun without a challenge, injected into somebody's sign-in."""
    thief = Browser(pool, pool.add_person("thief@example.com"))
    code = query_of(answered(thief))["code"]
    pool.codes[code].code_challenge = ""

    response = visitor.get(with_query(answered(visitor), code=code))

    assert response.status_code == 400
    assert not is_signed_in(visitor)
    assert all(sign_in.revoked for sign_in in pool.sign_ins.values())


@pytest.mark.parametrize(
    "iss", ["https://evil.example", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Evil12345"]
)
def test_mix_up_sends_no_code_to_anybody_but_our_own_user_pool(visitor: Browser, pool: FakeUserPool, iss: str) -> None:
    """There is one issuer, from the settings; whatever a response says of another is not even looked at."""
    with FakeUserPool(site_url="http://testserver") as evil:
        code = evil.new_code(
            evil.add_person("user@example.com"),
            scopes=tuple(evil.scopes),
            nonce="",
            redirect_uri="http://testserver/callback/",
            challenge="",
            at=evil.now(),
        )

        response = visitor.get(with_query(answered(visitor), code=code, iss=iss))

        assert response.status_code == 400
        assert evil.calls.count("*") == 0
    assert pool.calls.count("token") == 1
    assert not is_signed_in(visitor)


def test_tokens_of_another_user_pool_sign_nobody_in(visitor: Browser, pool: FakeUserPool) -> None:
    with FakeUserPool(site_url="http://testserver") as evil:
        tokens = evil.sign_in(evil.add_person(visitor.person.email))
    pool.tamper("token_response", lambda answer: answer | tokens)

    assert visitor.sign_in().status_code in {400, 503}
    assert not is_signed_in(visitor)


def test_tokens_in_a_response_are_not_looked_at(visitor: Browser, pool: FakeUserPool) -> None:
    """The implicit grant: tokens in the address, where the code belongs."""
    tokens = {name: str(value) for name, value in pool.sign_in(visitor.person).items()}

    for address in (with_query(answered(visitor), code=[], **tokens), with_query("/callback/", **tokens)):
        assert visitor.get(address).status_code in {302, 400}

    assert not is_signed_in(visitor)


def test_a_bearer_token_opens_nothing(visitor: Browser, pool: FakeUserPool) -> None:
    token = pool.sign_in(visitor.person)["access_token"]

    for path in ("/api/session/", "/profile/", "/console/", "/metrics"):
        response = visitor.get(path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})

        assert response.status_code in {401, 404}


@pytest.mark.parametrize("nonce", [[], "", "chosen-by-the-attacker"])
def test_nobody_else_chooses_what_an_authorization_request_carries(visitor: Browser, nonce: str | list[str]) -> None:
    """Hints of a sign-in link go to the hosted UI; what protects the sign-in comes from here alone."""
    chosen: dict[str, str | list[str]] = dict.fromkeys(
        ("state", "nonce", "code_challenge", "redirect_uri", "client_id", "response_type", "scope", "response_mode"),
        nonce,
    )

    sent = query_of(visitor.get(with_query("/login/", **chosen))["Location"])

    assert sent["redirect_uri"] == "http://testserver/callback/"
    assert sent["response_type"] == "code"
    assert "chosen-by-the-attacker" not in sent.values()
    assert len(sent["state"]) >= 43
    assert len(sent["nonce"]) >= 43
    assert "response_mode" not in sent


def test_a_state_is_found_by_its_digest_and_a_browser_compared_in_constant_time(visitor: Browser) -> None:
    address = answered(visitor)

    with CaptureQueriesContext(connection) as queries:
        visitor.get(address)

    told = " ".join(query["sql"] for query in queries)
    assert query_of(address)["state"] not in told
    assert visitor.cookies["gatehouse_browser"].value not in told
    source = ast.parse(textwrap.dedent(inspect.getsource(AuthorizationRequestManager.take)))
    compared = [ast.unparse(node) for node in ast.walk(source) if isinstance(node, ast.Compare)]
    assert not [text for text in compared if "digest" in text or "browser" in text or "state" in text]
    assert "secrets.compare_digest(row.browser_digest, digest(browser))" in ast.unparse(source)


# --- Cookies that somebody else put there


def test_a_session_that_the_attacker_knows_becomes_nobodys(visitor: Browser, outsider: Browser) -> None:
    """Session fixation, with a live session of the attacker's put into the victim's browser during the sign-in."""
    key = outsider.cookies["session"].value
    address = answered(visitor)
    visitor.cookies["session"] = key

    visitor.get(address)

    assert visitor.cookies["session"].value != key
    attacker = Browser(visitor.pool, outsider.person)
    attacker.cookies["session"] = key
    assert attacker.get("/api/session/").json().get("user", {}).get("email") != visitor.person.email


def test_cookies_of_a_sibling_are_not_looked_at_on_an_https_site(
    visitor: Browser, outsider: Browser, settings: Settings
) -> None:
    """Cookie tossing: a sibling subdomain sets cookies for the whole domain, but none with the prefix."""
    session_key = outsider.cookies["session"].value
    outsider.cookies.pop("session")
    attack = answered(outsider)
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    victim = Browser(visitor.pool, visitor.person)
    tossed = {
        "session": session_key,
        "csrf": "a" * 32,
        "gatehouse_browser": outsider.cookies["gatehouse_browser"].value,
    }
    victim.cookies.load(tossed)

    response = victim.get(attack, secure=True)

    assert response.status_code == 400
    assert victim.get("/api/session/", secure=True).status_code == 401
    victim.handler.enforce_csrf_checks = True
    form = {"csrfmiddlewaretoken": "a" * 32, "language": "de"}
    assert victim.post("/language/", form, secure=True, headers={"Referer": "https://testserver/"}).status_code == 403


def test_neither_digest_nor_id_of_a_session_is_its_key(user: Browser) -> None:
    thief = Browser(user.pool, user.person)

    for guess in (user.row.key_digest, str(user.row.public_id), user.row.public_id.hex):
        thief.cookies["session"] = guess
        assert not is_signed_in(thief)
        assert thief.get("/api/session/", {"session": user.cookies["session"].value}).status_code == 401

    assert Session.objects.count() == 1
