"""Where /logout leads."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.contract.support import Browser, Person, Pool, RelyingParty, answer, claims_of, fake_only, sign_in
from tests.fake_user_pool import FakeUserPool


def logout(browser: Browser, **parameters: str) -> requests.Response:
    return browser.visit(f"{browser.pool.url}/logout?{urlencode(parameters)}")


def test_leaving_leads_to_the_sign_out_uri(pool: Pool, browser: Browser) -> None:
    response = logout(browser, client_id=pool.client_id, logout_uri=pool.signed_out)

    assert (response.status_code, response.headers["Location"]) == (302, pool.signed_out)


@pytest.mark.parametrize(
    "parameters",
    [
        {"logout_uri": "https://evil.example/"},
        {"logout_uri": "http://localhost:8000/signed-out"},
        {"post_logout_redirect_uri": "http://localhost:8000/signed-out/"},
        {},
    ],
    ids=["unregistered", "inexact", "of RP-initiated logout", "none"],
)
def test_a_wrong_sign_out_uri_never_leaves_the_pool(pool: Pool, browser: Browser, parameters: dict[str, str]) -> None:
    response = logout(browser, client_id=pool.client_id, **parameters)

    assert response.status_code == 400


def test_logout_revokes_nothing(pool: Pool, browser: Browser, user: Person) -> None:
    tokens = sign_in(pool, user)

    logout(browser, client_id=pool.client_id, logout_uri=pool.signed_out)

    assert pool.api.get_user(AccessToken=tokens["access_token"])["Username"]


@fake_only("answers in JSON")
def test_a_wrong_sign_out_uri_is_taken_for_the_other_form(pool: Pool, browser: Browser) -> None:
    response = logout(browser, client_id=pool.client_id, logout_uri="https://evil.example/")

    assert "Required String parameter &#x27;redirect_uri&#x27; is not present" in response.text


@fake_only("has no login cookie")
def test_logout_ends_the_login_of_the_browser(pool: Pool, app: RelyingParty, browser: Browser, user: Person) -> None:
    browser.sign_in(app.authorization_url(), user)

    logout(browser, client_id=pool.client_id, logout_uri=pool.signed_out)

    assert answer(browser.visit(app.authorization_url(prompt="none")))["error"] == "login_required"


@fake_only("knows no second form of /logout")
def test_signing_in_again_leads_to_the_login_page(pool: Pool, browser: Browser) -> None:
    response = logout(browser, client_id=pool.client_id, redirect_uri=pool.callback, response_type="code", state="s")

    page = urlsplit(response.url)
    assert page.path == "/login"
    assert parse_qs(page.query)["state"] == ["s"]


@fake_only("knows no second form of /logout")
def test_signing_in_again_through_logout_makes_auth_time_new(
    app: RelyingParty, fake: FakeUserPool, browser: Browser, user: Person
) -> None:
    fake.managed_login = False
    first = app.exchange(answer(browser.sign_in(app.authorization_url(), user))["code"]).json()
    fake.clock_skew += 60
    query = urlsplit(app.authorization_url()).query

    second = app.exchange(answer(browser.sign_in(f"{app.pool.url}/logout?{query}", user))["code"]).json()

    assert claims_of(second["id_token"])["auth_time"] >= claims_of(first["id_token"])["auth_time"] + 60


def test_leaving_wins_when_both_forms_are_given(pool: Pool, browser: Browser) -> None:
    response = logout(
        browser,
        client_id=pool.client_id,
        logout_uri=pool.signed_out,
        redirect_uri=pool.callback,
        response_type="code",
    )

    assert response.headers["Location"] == pool.signed_out
