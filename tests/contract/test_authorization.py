"""From the authorization request to the code, and from the code to the tokens."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests

from tests.contract.support import TIMEOUT, Browser, Person, Pool, RelyingParty, answer, claims_of, fake_only
from tests.fake_user_pool import FakeUserPool


def test_signing_in_gives_a_code_and_echoes_the_state(app: RelyingParty, browser: Browser, user: Person) -> None:
    response = browser.sign_in(app.authorization_url(), user)

    assert response.headers["Location"].startswith(f"{app.pool.callback}?")
    assert answer(response).keys() == {"code", "state"}
    assert answer(response)["state"] == app.state


def test_a_wrong_password_shows_the_form_again(app: RelyingParty, browser: Browser, user: Person) -> None:
    response = browser.sign_in(app.authorization_url(), user, password="not it")

    assert response.status_code == 200
    assert 'type="password"' in response.text


@pytest.mark.parametrize(
    "changes", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/callback/"}], ids=["client", "uri"]
)
def test_a_wrong_client_or_redirect_uri_never_leaves_the_pool(
    app: RelyingParty, browser: Browser, changes: dict[str, str]
) -> None:
    response = browser.visit(app.authorization_url(**changes))

    assert response.status_code == 400
    assert response.url.startswith(app.pool.url)


def test_the_redirect_uri_must_match_exactly(app: RelyingParty, browser: Browser) -> None:
    response = browser.visit(app.authorization_url(redirect_uri=f"{app.pool.callback}?next=/"))

    assert response.status_code == 400


@pytest.mark.parametrize("method", ["plain", None])
def test_only_s256_challenges_are_taken(app: RelyingParty, browser: Browser, method: str | None) -> None:
    response = browser.visit(app.authorization_url(code_challenge_method=method))

    assert answer(response)["error"] == "invalid_request"
    assert answer(response)["state"] == app.state


def test_a_scope_the_client_lacks_is_refused(app: RelyingParty, browser: Browser) -> None:
    response = browser.visit(app.authorization_url(scope="openid gatehouse/everything"))

    assert "invalid_scope" in answer(response).values()


@pytest.mark.parametrize("basic", [True, False], ids=["Basic header", "body"])
def test_the_client_authenticates_by_header_or_body(
    app: RelyingParty, browser: Browser, user: Person, basic: bool
) -> None:
    code = answer(browser.sign_in(app.authorization_url(), user))["code"]

    response = app.exchange(code, basic=basic)

    assert response.status_code == 200
    assert response.json().keys() == {"access_token", "id_token", "refresh_token", "expires_in", "token_type"}
    assert response.json()["token_type"] == "Bearer"


def test_a_code_is_accepted_once(app: RelyingParty, browser: Browser, user: Person) -> None:
    code = answer(browser.sign_in(app.authorization_url(), user))["code"]
    app.exchange(code)

    again = app.exchange(code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("verifier", ["x" * 43, ""], ids=["wrong", "none"])
def test_a_code_needs_the_verifier_of_its_challenge(
    app: RelyingParty, browser: Browser, user: Person, verifier: str
) -> None:
    code = answer(browser.sign_in(app.authorization_url(), user))["code"]

    response = app.exchange(code, code_verifier=verifier)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_refused_for_another_redirect_uri(app: RelyingParty, browser: Browser, user: Person) -> None:
    code = answer(browser.sign_in(app.authorization_url(), user))["code"]

    response = app.exchange(code, redirect_uri=f"{app.pool.site_url}/elsewhere/")

    assert response.status_code == 400
    assert "access_token" not in response.json()


def test_a_wrong_client_secret_is_refused_and_leaves_the_code_unused(
    app: RelyingParty, browser: Browser, user: Person
) -> None:
    code = answer(browser.sign_in(app.authorization_url(), user))["code"]

    refused = app.exchange(code, client_secret="x" * 51)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client")
    assert app.exchange(code).status_code == 200


def test_a_code_of_somebody_disabled_meanwhile_is_refused(app: RelyingParty, browser: Browser, user: Person) -> None:
    code = answer(browser.sign_in(app.authorization_url(), user))["code"]
    app.pool.admin.admin_disable_user(UserPoolId=app.pool.user_pool_id, Username=user.email)

    response = app.exchange(code)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_other_grants_are_unsupported(app: RelyingParty) -> None:
    response = app.exchange("", grant_type="password")

    assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")


@fake_only("calls a missing form an unsupported grant")
def test_the_token_endpoint_takes_forms_only(pool: Pool) -> None:
    response = requests.post(f"{pool.url}/oauth2/token", json={"grant_type": "authorization_code"}, timeout=TIMEOUT)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@fake_only("says invalid_grant")
def test_another_redirect_uri_is_called_an_invalid_redirect(app: RelyingParty, browser: Browser, user: Person) -> None:
    code = answer(browser.sign_in(app.authorization_url(), user))["code"]

    response = app.exchange(code, redirect_uri=f"{app.pool.site_url}/elsewhere/")

    assert response.json() == {"error": "unauthorized_client", "error_description": "invalid_redirect"}


@fake_only("has no login cookie")
def test_a_browser_that_signed_in_needs_no_password_again(app: RelyingParty, browser: Browser, user: Person) -> None:
    browser.sign_in(app.authorization_url(), user)

    response = browser.visit(app.authorization_url())

    assert answer(response).keys() == {"code", "state"}


@fake_only("ignores prompt")
def test_prompt_none_without_a_login_says_login_required(app: RelyingParty, browser: Browser) -> None:
    response = browser.visit(app.authorization_url(prompt="none"))

    assert answer(response) == {"error": "login_required", "state": app.state}


@fake_only("has no login cookie")
def test_prompt_login_shows_the_form_to_a_browser_that_signed_in(
    app: RelyingParty, browser: Browser, user: Person
) -> None:
    browser.sign_in(app.authorization_url(), user)

    response = browser.visit(app.authorization_url(prompt="login"))

    assert urlsplit(response.url).path == "/login"


@fake_only("has no login cookie")
def test_prompt_login_makes_auth_time_new(
    app: RelyingParty, fake: FakeUserPool, browser: Browser, user: Person
) -> None:
    before = app.exchange(answer(browser.sign_in(app.authorization_url(), user))["code"]).json()
    fake.clock_skew += 60

    after = app.exchange(answer(browser.sign_in(app.authorization_url(prompt="login"), user))["code"]).json()

    assert claims_of(after["id_token"])["auth_time"] >= claims_of(before["id_token"])["auth_time"] + 60


@fake_only("has no login cookie")
@pytest.mark.parametrize("hint", [{"prompt": "login"}, {"max_age": "1"}], ids=str)
def test_the_classic_pages_answer_from_the_login_cookie(
    app: RelyingParty, fake: FakeUserPool, browser: Browser, user: Person, hint: dict[str, str]
) -> None:
    fake.managed_login = False
    before = app.exchange(answer(browser.sign_in(app.authorization_url(), user))["code"]).json()
    fake.clock_skew += 60

    after = app.exchange(answer(browser.visit(app.authorization_url(**hint)))["code"]).json()

    assert claims_of(after["id_token"])["auth_time"] == claims_of(before["id_token"])["auth_time"]


@fake_only("ignores login_hint")
def test_a_login_hint_fills_in_the_user_name(app: RelyingParty, browser: Browser) -> None:
    response = browser.visit(app.authorization_url(login_hint="ann@example.com"))

    assert 'value="ann@example.com"' in response.text
