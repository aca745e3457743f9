"""What the pool tells about people, by their own token or to an administrator."""

from __future__ import annotations

import pytest
import requests
from botocore.exceptions import ClientError

from tests.contract.support import TIMEOUT, Person, Pool, claims_of, code_of, fake_only, sign_in


def user_info(pool: Pool, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{pool.url}/oauth2/userInfo", headers=headers, timeout=TIMEOUT)


def test_get_user_answers_in_strings_and_without_groups(pool: Pool, admin: Person) -> None:
    tokens = sign_in(pool, admin)

    answer = pool.api.get_user(AccessToken=tokens["access_token"])

    attributes = {attribute["Name"]: attribute["Value"] for attribute in answer["UserAttributes"]}
    assert answer["Username"] == pool.username(admin)
    assert attributes["sub"] == claims_of(tokens["id_token"])["sub"]
    assert (attributes["email"], attributes["email_verified"]) == (admin.email, "true")
    assert not any("groups" in name for name in attributes)


def test_get_user_needs_the_admin_scope(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user, scope="openid email profile")["access_token"]

    with pytest.raises(ClientError) as refusal:
        pool.api.get_user(AccessToken=token)

    assert code_of(refusal.value) == "NotAuthorizedException"


@pytest.mark.parametrize("name", ["id_token", "refresh_token"])
def test_get_user_takes_access_tokens_only(pool: Pool, user: Person, name: str) -> None:
    token = sign_in(pool, user)[name]

    with pytest.raises(ClientError) as refusal:
        pool.api.get_user(AccessToken=token)

    assert code_of(refusal.value) == "NotAuthorizedException"


def test_get_user_refuses_a_token_that_was_changed(pool: Pool, user: Person) -> None:
    header, payload, signature = sign_in(pool, user)["access_token"].split(".")
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]

    with pytest.raises(ClientError) as refusal:
        pool.api.get_user(AccessToken=f"{header}.{payload}.{changed}")

    assert code_of(refusal.value) == "NotAuthorizedException"


def test_typed_errors_have_status_400_and_name_their_type(pool: Pool) -> None:
    with pytest.raises(pool.api.exceptions.NotAuthorizedException) as refusal:
        pool.api.get_user(AccessToken="nonsense")

    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_people_may_change_their_name_and_see_it_in_new_tokens(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user)["access_token"]

    pool.api.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "name", "Value": "Renamed"}])

    assert claims_of(sign_in(pool, user)["id_token"])["name"] == "Renamed"


def test_user_info_answers_in_strings(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    answer = user_info(pool, tokens["access_token"]).json()

    assert answer["sub"] == claims_of(tokens["id_token"])["sub"]
    assert (answer["username"], answer["email"]) == (pool.username(user), user.email)
    assert answer["email_verified"] == "true"


def test_user_info_needs_openid(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user, scope="aws.cognito.signin.user.admin")["access_token"]

    answer = user_info(pool, token)

    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


def test_an_administrator_sees_state_and_groups(pool: Pool, admin: Person) -> None:
    answer = pool.admin.admin_get_user(UserPoolId=pool.user_pool_id, Username=admin.email)

    assert (answer["Enabled"], answer["UserStatus"]) == (True, "CONFIRMED")
    assert pool.groups(admin) == {"admins"}


def test_an_administrator_finds_people_by_the_start_of_their_address(pool: Pool, user: Person, admin: Person) -> None:
    prefix = user.email[:20]

    found = pool.admin.list_users(UserPoolId=pool.user_pool_id, Filter=f'email ^= "{prefix}"')["Users"]

    assert [person["Username"] for person in found] == [pool.username(user)]
    assert {"Name": "email", "Value": user.email} in found[0]["Attributes"]


def test_lists_of_people_come_in_pages(pool: Pool, user: Person, admin: Person) -> None:
    first = pool.admin.list_users(UserPoolId=pool.user_pool_id, Limit=1)

    assert len(first["Users"]) == 1
    assert first["PaginationToken"]


def test_nobody_is_found_under_an_unknown_name(pool: Pool) -> None:
    with pytest.raises(pool.admin.exceptions.UserNotFoundException):
        pool.admin.admin_get_user(UserPoolId=pool.user_pool_id, Username="nobody@example.com")


def test_an_unknown_pool_is_not_found(pool: Pool) -> None:
    with pytest.raises(pool.admin.exceptions.ResourceNotFoundException):
        pool.admin.list_users(UserPoolId="us-east-1_Nowhere")


def test_administrators_need_credentials(pool: Pool) -> None:
    headers = {"X-Amz-Target": "AWSCognitoIdentityProviderService.ListUsers"}

    answer = requests.post(pool.url, json={"UserPoolId": pool.user_pool_id}, headers=headers, timeout=TIMEOUT)

    assert (answer.status_code, answer.json()["__type"]) == (400, "MissingAuthenticationTokenException")


@fake_only("takes any attribute")
def test_people_may_not_declare_their_own_address_verified(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user)["access_token"]

    with pytest.raises(pool.api.exceptions.NotAuthorizedException):
        pool.api.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "email_verified", "Value": "true"}])
