"""Where the fake behaves like Cognito and tests/contract cannot ask it of every pool: time, federation, settings."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests

from tests.fake_user_pool import FakeUserPool, Person, PoolError

GET_USER = "aws.cognito.signin.user.admin"


@pytest.fixture
def pool() -> Iterator[FakeUserPool]:
    with FakeUserPool() as pool:
        yield pool


@pytest.fixture
def user(pool: FakeUserPool) -> Person:
    return pool.add_person("user@example.com", name="Uma")


def authorization_url(pool: FakeUserPool, **parameters: str) -> str:
    required = {"response_type": "code", "client_id": pool.client_id, "redirect_uri": pool.callback_urls[0]}
    return f"{pool.base_url}/oauth2/authorize?{urlencode(required | parameters)}"


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def exchange(pool: FakeUserPool, url: str, *, auth: tuple[str, str] | None = None, **body: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "redirect_uri": pool.callback_urls[0], "code": query_of(url)["code"]}
    credentials = auth or (pool.client_id, pool.client_secrets[0])
    return requests.post(f"{pool.base_url}/oauth2/token", data=form | body, auth=credentials, timeout=5)


def claims_of(token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_code_lives_five_minutes(pool: FakeUserPool, user: Person) -> None:
    url = pool.authorize(authorization_url(pool), user)
    pool.clock_skew += 5 * 60

    response = exchange(pool, url)

    assert (response.status_code, response.json()) == (400, {"error": "invalid_grant"})


def test_the_login_of_a_browser_lasts_an_hour_however_often_it_is_used(pool: FakeUserPool, user: Person) -> None:
    with requests.Session() as browser:
        fields = {"username": user.email, "password": user.password}
        form = browser.get(authorization_url(pool), timeout=5).url
        browser.post(form, data=fields, allow_redirects=False, timeout=5)
        found = []
        for _ in range(2):
            pool.clock_skew += 30 * 60 - 1
            answer = browser.get(authorization_url(pool, prompt="none"), allow_redirects=False, timeout=5)
            found.append(query_of(answer.headers["Location"]))
        pool.clock_skew += 2
        late = browser.get(authorization_url(pool, prompt="none"), allow_redirects=False, timeout=5)

    assert all("code" in query for query in found)
    assert query_of(late.headers["Location"])["error"] == "login_required"


def test_signing_in_silently_keeps_auth_time(pool: FakeUserPool, user: Person) -> None:
    with requests.Session() as browser:
        fields = {"username": user.email, "password": user.password}
        form = browser.get(authorization_url(pool), timeout=5).url
        browser.post(form, data=fields, allow_redirects=False, timeout=5)
        signed_in_at = int(pool.now())
        pool.clock_skew += 600
        answer = browser.get(authorization_url(pool), allow_redirects=False, timeout=5)

    claims = claims_of(exchange(pool, answer.headers["Location"]).json()["id_token"])

    assert claims["auth_time"] == pytest.approx(signed_in_at, abs=1)


def test_the_classic_pages_ignore_prompt(pool: FakeUserPool) -> None:
    pool.managed_login = False

    page = requests.get(authorization_url(pool, prompt="none"), timeout=5)

    assert urlsplit(page.url).path == "/login"


def test_cancelling_is_access_denied(pool: FakeUserPool) -> None:
    url = pool.cancel(authorization_url(pool, state="s"))

    assert query_of(url)["error"] == "access_denied"
    assert query_of(url)["state"] == "s"


def test_an_unknown_identity_provider_is_an_invalid_request(pool: FakeUserPool, user: Person) -> None:
    url = pool.authorize(authorization_url(pool, identity_provider="Google"), user)

    assert query_of(url)["error"] == "invalid_request"


def test_a_person_from_elsewhere_has_a_name_an_identity_and_a_nonce_of_cognitos(pool: FakeUserPool) -> None:
    pool.identity_providers.append("Google")
    person = pool.add_person("ann@gmail.example", provider="Google")

    url = pool.authorize(authorization_url(pool, identity_provider="Google"), person)
    claims = claims_of(exchange(pool, url).json()["id_token"])

    assert claims["cognito:username"] == f"Google_{person.external_id}"
    assert isinstance(claims["identities"], list)
    assert claims["nonce"]


def test_two_client_secrets_work_at_a_time(pool: FakeUserPool, user: Person) -> None:
    pool.client_secrets.append("n+w" * 10)

    responses = [
        exchange(pool, pool.authorize(authorization_url(pool), user), auth=(pool.client_id, secret))
        for secret in pool.client_secrets
    ]

    assert [response.status_code for response in responses] == [200, 200]


def test_a_public_client_has_no_secret(pool: FakeUserPool, user: Person) -> None:
    pool.client_secrets = []
    form = {
        "grant_type": "authorization_code",
        "client_id": pool.client_id,
        "redirect_uri": pool.callback_urls[0],
        "code": query_of(pool.authorize(authorization_url(pool), user))["code"],
    }

    response = requests.post(f"{pool.base_url}/oauth2/token", data=form, timeout=5)

    assert response.status_code == 200
    assert pool.environment()["COGNITO_CLIENT_SECRET"] == ""


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke"])
def test_the_endpoints_for_servers_take_post_only(pool: FakeUserPool, path: str) -> None:
    assert requests.get(pool.base_url + path, timeout=5).status_code == 405


def test_the_domain_has_no_discovery_document(pool: FakeUserPool) -> None:
    answer = requests.get(f"{pool.base_url}/.well-known/openid-configuration", timeout=5)

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_an_access_token_expires_by_the_pools_clock(pool: FakeUserPool, user: Person) -> None:
    token = pool.mint(user)
    pool.clock_skew += 3600

    with pytest.raises(PoolError, match="Access Token has expired"):
        pool.accept(token, GET_USER)


def test_a_refresh_token_expires(pool: FakeUserPool, user: Person) -> None:
    pool.refresh_token_seconds = 3600
    token = pool.sign_in(user)["refresh_token"]
    pool.clock_skew += 3600

    with pytest.raises(PoolError, match="Refresh Token has expired"):
        pool.refresh(token)


@pytest.mark.parametrize("ends", [True, False])
def test_reusing_a_refresh_token_ends_the_sign_in_if_asked_to(pool: FakeUserPool, user: Person, ends: bool) -> None:
    pool.rotation, pool.reuse_revokes_family = True, ends
    old = pool.sign_in(user)["refresh_token"]
    new = pool.refresh(old)["refresh_token"]

    with pytest.raises(PoolError, match="RefreshTokenReuseException"):
        pool.refresh(old)

    if ends:
        with pytest.raises(PoolError, match="revoked"):
            pool.refresh(new)
    else:
        assert pool.refresh(new)["refresh_token"]


def test_rotation_switched_off_keeps_the_newest_refresh_token(pool: FakeUserPool, user: Person) -> None:
    pool.rotation = True
    newest = pool.refresh(pool.sign_in(user)["refresh_token"])["refresh_token"]

    pool.rotation = False

    assert "refresh_token" not in pool.refresh(newest)


def test_revocation_may_be_switched_off(pool: FakeUserPool, user: Person) -> None:
    pool.token_revocation = False

    with pytest.raises(PoolError, match="UnsupportedOperationException"):
        pool.revoke(pool.sign_in(user)["refresh_token"])


def test_tokens_signed_before_the_keys_were_rotated_stay_good(pool: FakeUserPool, user: Person) -> None:
    token = pool.mint(user)

    pool.rotate_keys(keep_old=False)

    assert pool.accept(token, GET_USER).person is user


def test_a_skewed_clock_shows_in_the_tokens(pool: FakeUserPool, user: Person) -> None:
    pool.clock_skew = 3600

    claims = claims_of(pool.mint(user))

    assert claims["iat"] == pytest.approx(pool.now(), abs=2)


@pytest.mark.parametrize(
    ("condition", "finds"),
    [
        ('email = "user@example.com"', True),
        ('email ^= "user"', True),
        ('"name" = "Uma"', True),
        ('name = "a \\"quoted\\" name"', False),
        ('status = "Disabled"', False),
    ],
)
def test_people_are_found_by_one_attribute(pool: FakeUserPool, user: Person, condition: str, finds: bool) -> None:
    answer = requests.post(
        pool.base_url,
        json={"UserPoolId": pool.pool_id, "Filter": condition},
        headers={
            "X-Amz-Target": "AWSCognitoIdentityProviderService.ListUsers",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test",
        },
        timeout=5,
    )

    assert [found["Username"] for found in answer.json()["Users"]] == ([user.username] if finds else [])
