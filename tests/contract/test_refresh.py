"""New tokens for old: GetTokensFromRefreshToken, and the token endpoint."""

from __future__ import annotations

import pytest
import requests
from botocore.exceptions import ClientError

from tests.contract.support import TIMEOUT, Person, Pool, claims_of, code_of, fake_only, refresh, sign_in
from tests.fake_user_pool import FakeUserPool


def refresh_at_endpoint(pool: Pool, refresh_token: str) -> requests.Response:
    body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    auth = (pool.client_id, pool.client_secret)
    return requests.post(f"{pool.url}/oauth2/token", data=body, auth=auth, timeout=TIMEOUT)


def test_refreshing_gives_new_tokens_of_the_same_sign_in(pool: Pool, user: Person) -> None:
    old = sign_in(pool, user)

    new = refresh(pool, old["refresh_token"])

    before, after = claims_of(old["access_token"]), claims_of(new["AccessToken"])
    assert after["jti"] != before["jti"]
    assert (after["sub"], after["origin_jti"]) == (before["sub"], before["origin_jti"])
    assert after["scope"] == before["scope"]
    assert claims_of(new["IdToken"])["aud"] == pool.client_id
    assert new["ExpiresIn"] == after["exp"] - after["iat"]
    assert new["TokenType"] == "Bearer"


def test_refreshed_tokens_open_the_api(pool: Pool, user: Person) -> None:
    new = refresh(pool, sign_in(pool, user)["refresh_token"])

    answer = pool.api.get_user(AccessToken=new["AccessToken"])

    assert answer["Username"] == pool.username(user)


@pytest.mark.parametrize("name", ["AccessToken", "IdToken"])
def test_refreshing_keeps_groups(pool: Pool, admin: Person, name: str) -> None:
    new = refresh(pool, sign_in(pool, admin)["refresh_token"])

    assert claims_of(new[name])["cognito:groups"] == ["admins"]


def test_refreshing_picks_up_changed_groups(pool: Pool, admin: Person) -> None:
    old = sign_in(pool, admin)
    pool.admin.admin_remove_user_from_group(UserPoolId=pool.user_pool_id, Username=admin.email, GroupName="admins")

    new = refresh(pool, old["refresh_token"])

    assert claims_of(old["access_token"])["cognito:groups"] == ["admins"]
    assert "cognito:groups" not in claims_of(new["AccessToken"])


@pytest.mark.parametrize("name", ["access_token", "id_token"])
def test_only_refresh_tokens_refresh(pool: Pool, user: Person, name: str) -> None:
    token = sign_in(pool, user)[name]

    with pytest.raises(ClientError) as refusal:
        refresh(pool, token)

    assert code_of(refusal.value) == "NotAuthorizedException"


def test_an_unknown_client_is_not_found(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user)["refresh_token"]

    with pytest.raises(ClientError) as refusal:
        refresh(pool, token, ClientId="0123456789abcdefghijklmnop")

    assert code_of(refusal.value) == "ResourceNotFoundException"


def test_the_token_endpoint_refreshes_too(pool: Pool, user: Person) -> None:
    old = sign_in(pool, user)

    response = refresh_at_endpoint(pool, old["refresh_token"])

    assert response.status_code == 200
    assert claims_of(response.json()["access_token"])["sub"] == claims_of(old["access_token"])["sub"]


def test_the_token_endpoint_calls_a_bad_refresh_token_an_invalid_grant(pool: Pool) -> None:
    response = refresh_at_endpoint(pool, "nonsense")

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


@fake_only("drops cognito:groups when the token endpoint refreshes")
def test_the_token_endpoint_keeps_groups(pool: Pool, admin: Person) -> None:
    response = refresh_at_endpoint(pool, sign_in(pool, admin)["refresh_token"])

    assert claims_of(response.json()["access_token"])["cognito:groups"] == ["admins"]


@fake_only("accepts a wrong client secret on refresh")
def test_refreshing_needs_the_client_secret(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user)["refresh_token"]

    with pytest.raises(ClientError) as refusal:
        refresh(pool, token, ClientSecret="x" * 51)

    assert code_of(refusal.value) == "NotAuthorizedException"


@fake_only("sets auth_time anew at refresh")
def test_refreshing_leaves_auth_time_alone(pool: Pool, fake: FakeUserPool, user: Person) -> None:
    old = sign_in(pool, user)
    fake.clock_skew += 60

    new = refresh(pool, old["refresh_token"])

    assert claims_of(new["IdToken"])["auth_time"] == claims_of(old["id_token"])["auth_time"]
    assert claims_of(new["IdToken"])["iat"] > claims_of(old["id_token"])["iat"]


@fake_only("takes rotation and never rotates")
def test_without_rotation_the_refresh_token_stays(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user)["refresh_token"]

    results = [refresh(pool, token) for _ in range(2)]

    assert not any("RefreshToken" in result for result in results)


@fake_only("never rotates")
def test_rotation_gives_a_new_refresh_token(pool: Pool, fake: FakeUserPool, user: Person) -> None:
    fake.rotation = True
    token = sign_in(pool, user)["refresh_token"]

    first = refresh(pool, token)["RefreshToken"]
    second = refresh(pool, first)["RefreshToken"]

    assert len({token, first, second}) == 3


@fake_only("never rotates")
def test_a_replaced_refresh_token_is_refused_as_reused(pool: Pool, fake: FakeUserPool, user: Person) -> None:
    fake.rotation = True
    token = sign_in(pool, user)["refresh_token"]
    refresh(pool, token)

    with pytest.raises(ClientError) as refusal:
        refresh(pool, token)

    assert code_of(refusal.value) == "RefreshTokenReuseException"
    assert refresh_at_endpoint(pool, token).json()["error"] == "invalid_grant"


@fake_only("never rotates")
def test_a_replaced_refresh_token_works_within_the_grace_period_only(
    pool: Pool, fake: FakeUserPool, user: Person
) -> None:
    fake.rotation, fake.grace_seconds = True, 30
    token = sign_in(pool, user)["refresh_token"]
    refresh(pool, token)

    within = refresh(pool, token)
    fake.clock_skew += 31

    assert "RefreshToken" in within
    with pytest.raises(pool.api.exceptions.RefreshTokenReuseException):
        refresh(pool, token)


@fake_only("never rotates")
def test_rotation_does_not_prolong_a_sign_in(pool: Pool, fake: FakeUserPool, user: Person) -> None:
    fake.rotation, fake.refresh_token_seconds = True, 3600
    token = sign_in(pool, user)["refresh_token"]
    fake.clock_skew += 3500
    rotated = refresh(pool, token)["RefreshToken"]
    fake.clock_skew += 101

    with pytest.raises(ClientError) as refusal:
        refresh(pool, rotated)

    assert code_of(refusal.value) == "NotAuthorizedException"


@fake_only("never rotates")
def test_rotation_takes_hold_of_sign_ins_from_before(pool: Pool, fake: FakeUserPool, user: Person) -> None:
    token = sign_in(pool, user)["refresh_token"]
    refresh(pool, token)

    fake.rotation = True

    assert "RefreshToken" in refresh(pool, token)
    with pytest.raises(pool.api.exceptions.RefreshTokenReuseException):
        refresh(pool, token)
