"""What stands in the tokens, and what they are signed with."""

from __future__ import annotations

import base64
import hashlib

import jwt
import pytest
import requests

from tests.contract.support import (
    TIMEOUT,
    Browser,
    Person,
    Pool,
    RelyingParty,
    answer,
    claims_of,
    fake_only,
    sign_in,
)


@pytest.mark.parametrize(("name", "use"), [("access_token", "access"), ("id_token", "id")])
def test_tokens_are_signed_by_a_key_of_the_key_set(pool: Pool, user: Person, name: str, use: str) -> None:
    token = sign_in(pool, user)[name]

    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, pool.key_set()[header["kid"]], algorithms=["RS256"], options={"verify_aud": False})

    assert header["alg"] == "RS256"
    assert (claims["iss"], claims["token_use"]) == (pool.issuer, use)


def test_access_and_id_tokens_are_signed_by_different_keys(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    kids = {jwt.get_unverified_header(tokens[name])["kid"] for name in ("access_token", "id_token")}

    assert len(kids) == 2


def test_an_access_token_says_for_whom_and_for_what(pool: Pool, user: Person) -> None:
    claims = claims_of(sign_in(pool, user)["access_token"])

    assert claims["client_id"] == pool.client_id
    assert set(claims["scope"].split()) == set(pool.scope.split())
    assert claims["username"] == pool.username(user)
    assert claims.keys().isdisjoint({"aud", "email", "nonce", "cognito:groups"})


def test_an_id_token_says_who(pool: Pool, user: Person) -> None:
    claims = claims_of(sign_in(pool, user)["id_token"])

    assert claims["aud"] == pool.client_id
    assert claims["cognito:username"] == pool.username(user)
    assert (claims["email"], claims["email_verified"], claims["name"]) == (user.email, True, "User")
    assert claims.keys().isdisjoint({"client_id", "scope", "cognito:groups"})


def test_an_id_token_carries_the_nonce(app: RelyingParty, browser: Browser, user: Person) -> None:
    code = answer(browser.sign_in(app.authorization_url(), user))["code"]

    claims = claims_of(app.exchange(code).json()["id_token"])

    assert claims["nonce"] == app.nonce


def test_a_nonce_that_was_not_sent_is_not_there(pool: Pool, user: Person) -> None:
    claims = claims_of(sign_in(pool, user, nonce=None)["id_token"])

    assert "nonce" not in claims


def test_both_tokens_name_the_same_person_and_sign_in(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    access, identity = claims_of(tokens["access_token"]), claims_of(tokens["id_token"])

    assert access["sub"] == identity["sub"]
    assert access["origin_jti"] == identity["origin_jti"]
    assert access["jti"] != identity["jti"]


def test_two_sign_ins_of_one_person_differ_in_origin_jti(pool: Pool, user: Person) -> None:
    first, second = (claims_of(sign_in(pool, user)["access_token"]) for _ in range(2))

    assert first["sub"] == second["sub"]
    assert first["origin_jti"] != second["origin_jti"]


def test_times_are_whole_seconds_and_agree_with_expires_in(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    claims = claims_of(tokens["access_token"])

    assert all(isinstance(claims[name], int) for name in ("iat", "exp", "auth_time"))
    assert claims["exp"] - claims["iat"] == tokens["expires_in"]


@pytest.mark.parametrize("name", ["access_token", "id_token"])
def test_groups_are_a_list_in_both_tokens(pool: Pool, admin: Person, name: str) -> None:
    claims = claims_of(sign_in(pool, admin)[name])

    assert claims["cognito:groups"] == ["admins"]


def test_without_openid_there_is_no_id_token(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user, scope="aws.cognito.signin.user.admin")

    assert tokens.keys() == {"access_token", "refresh_token", "expires_in", "token_type"}


def test_no_scope_means_all_scopes(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user, scope=None)

    assert set(claims_of(tokens["access_token"])["scope"].split()) == set(pool.scope.split())


def test_all_tokens_together_are_too_long_for_a_cookie(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    assert sum(len(tokens[name]) for name in ("access_token", "id_token", "refresh_token")) > 2000


def test_discovery_names_the_issuer_and_its_keys(pool: Pool) -> None:
    url = pool.settings["COGNITO_JWKS_URL"].replace("jwks.json", "openid-configuration")

    document = requests.get(url, timeout=TIMEOUT).json()

    assert document["issuer"] == pool.issuer
    assert document["jwks_uri"].endswith(f"/{pool.user_pool_id}/.well-known/jwks.json")
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert "code_challenge_methods_supported" not in document


@fake_only("issues no at_hash")
def test_an_id_token_holds_the_hash_of_its_access_token(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]

    assert claims_of(tokens["id_token"])["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


@fake_only("gives every attribute whatever the scope")
def test_an_id_token_shows_the_attributes_of_its_scopes(pool: Pool, user: Person) -> None:
    claims = claims_of(sign_in(pool, user, scope="openid email")["id_token"])

    assert claims["email"] == user.email
    assert "name" not in claims


@fake_only("issues signed JWTs as refresh tokens")
def test_a_refresh_token_is_opaque(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user)["refresh_token"]

    assert token.count(".") == 4
    assert 1700 < len(token) < 2000
