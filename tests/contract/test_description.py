"""What the pool tells an administrator about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.support import Person, Pool, fake_only
from tests.fake_user_pool import FakeUserPool

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import UserPoolClientTypeTypeDef


def described_client(pool: Pool) -> UserPoolClientTypeTypeDef:
    answer = pool.admin.describe_user_pool_client(UserPoolId=pool.user_pool_id, ClientId=pool.client_id)
    return answer["UserPoolClient"]


def test_the_app_client_is_described(pool: Pool) -> None:
    client = described_client(pool)

    assert client["ClientSecret"] == pool.client_secret
    assert pool.callback in client["CallbackURLs"]
    assert pool.signed_out in client["LogoutURLs"]
    assert set(client["AllowedOAuthScopes"]) == set(pool.scope.split())
    assert (client["AllowedOAuthFlows"], client["AllowedOAuthFlowsUserPoolClient"]) == (["code"], True)
    assert client["EnableTokenRevocation"]
    assert {"email", "email_verified", "name"} <= set(client["ReadAttributes"])


def test_the_pool_is_described(pool: Pool) -> None:
    described = pool.admin.describe_user_pool(UserPoolId=pool.user_pool_id)["UserPool"]

    assert (described["Id"], described["UserPoolTier"]) == (pool.user_pool_id, "ESSENTIALS")
    assert described["UsernameAttributes"] == ["email"]
    assert described["Arn"].endswith(f":userpool/{pool.user_pool_id}")


def test_the_domain_is_described(pool: Pool) -> None:
    prefix = pool.admin.describe_user_pool(UserPoolId=pool.user_pool_id)["UserPool"]["Domain"]

    domain = pool.admin.describe_user_pool_domain(Domain=prefix)["DomainDescription"]

    assert (domain["UserPoolId"], domain["Status"]) == (pool.user_pool_id, "ACTIVE")
    assert domain["ManagedLoginVersion"] in {1, 2}


def test_an_unknown_domain_has_no_description(pool: Pool) -> None:
    assert pool.admin.describe_user_pool_domain(Domain="nowhere")["DomainDescription"] == {}


def test_an_unknown_app_client_is_not_found(pool: Pool) -> None:
    with pytest.raises(pool.admin.exceptions.ResourceNotFoundException):
        pool.admin.describe_user_pool_client(UserPoolId=pool.user_pool_id, ClientId="0123456789abcdefghijklmnop")


def test_groups_list_their_people(pool: Pool, admin: Person, user: Person) -> None:
    groups = pool.admin.list_groups(UserPoolId=pool.user_pool_id)["Groups"]
    people = pool.admin.list_users_in_group(UserPoolId=pool.user_pool_id, GroupName="admins")["Users"]

    usernames = {person["Username"] for person in people}
    assert "admins" in {group["GroupName"] for group in groups}
    assert pool.username(admin) in usernames
    assert pool.username(user) not in usernames


@fake_only("leaves rotation out of the description, and gives lifetimes as text")
def test_rotation_and_lifetimes_are_described(pool: Pool, fake: FakeUserPool) -> None:
    fake.rotation, fake.grace_seconds = True, 30

    client = described_client(pool)

    assert client["RefreshTokenRotation"] == {"Feature": "ENABLED", "RetryGracePeriodSeconds": 30}
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == (3600, "seconds")
