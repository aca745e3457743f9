"""The rules of Amazon Cognito that the template must not break, most of which show only once people sign in."""

from __future__ import annotations

from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from accounts.cognito.stack import SETTING_OF_OUTPUT
from deploy.local.people import make_people
from deploy.local.pool import PARAMETERS
from tests.ministack import TEMPLATE, LocalUserPool

# https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims
ATTRIBUTES_OF_SCOPE = {
    "email": {"email", "email_verified"},
    "profile": {
        "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile",
        "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def template() -> Any:
    return cfn_yaml.load(str(TEMPLATE))


@pytest.fixture(scope="module")
def client(template: Any) -> Any:
    return template["Resources"]["Client"]["Properties"]


@pytest.fixture(scope="module")
def pool(template: Any) -> Any:
    return template["Resources"]["Pool"]["Properties"]


@pytest.mark.parametrize("scope", ATTRIBUTES_OF_SCOPE)
def test_the_client_may_read_every_attribute_of_its_scopes(client: Any, scope: str) -> None:
    assert ATTRIBUTES_OF_SCOPE[scope] <= set(client["ReadAttributes"])


def test_people_may_write_the_required_attributes_and_none_that_is_trusted(pool: Any, client: Any) -> None:
    required = {attribute["Name"] for attribute in pool["Schema"] if attribute["Required"]}

    assert required <= set(client["WriteAttributes"])
    assert not {"email_verified", "phone_number_verified"} & set(client["WriteAttributes"])
    assert set(client["WriteAttributes"]) <= set(client["ReadAttributes"])


def test_every_declared_attribute_can_change(pool: Any) -> None:
    assert all(attribute["Mutable"] for attribute in pool["Schema"])


def test_rotation_comes_without_the_flow_that_excludes_it(client: Any) -> None:
    assert client["RefreshTokenRotation"]["Feature"] == "ENABLED"
    assert 10 <= client["RefreshTokenRotation"]["RetryGracePeriodSeconds"] <= 60
    assert client["ExplicitAuthFlows"]
    assert "ALLOW_REFRESH_TOKEN_AUTH" not in client["ExplicitAuthFlows"]


def test_every_lifetime_has_its_unit(client: Any) -> None:
    lifetimes = {name.removesuffix("Validity") for name in client if name.endswith("TokenValidity")}

    assert lifetimes == {"AccessToken", "IdToken", "RefreshToken"}
    assert client["TokenValidityUnits"] == dict.fromkeys(lifetimes, "minutes")


def test_the_client_takes_only_the_code_flow_and_keeps_a_secret(client: Any) -> None:
    assert client["AllowedOAuthFlowsUserPoolClient"] is True
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["GenerateSecret"] is True
    assert client["EnableTokenRevocation"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_addresses_are_compared_without_case(pool: Any) -> None:
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}


def test_managed_login_comes_with_branding(template: Any) -> None:
    branding = template["Resources"]["Branding"]

    assert branding["Condition"] == "HasManagedLogin"
    assert branding["Properties"]["UseCognitoProvidedValues"] is True
    assert template["Resources"]["Domain"]["Properties"]["ManagedLoginVersion"] == {"Fn::If": ["HasManagedLogin", 2, 1]}


def test_the_identity_pool_asks_the_user_pool_whether_a_token_was_revoked(template: Any) -> None:
    identity_pool = template["Resources"]["IdentityPool"]["Properties"]

    assert identity_pool["AllowUnauthenticatedIdentities"] is False
    assert [provider["ServerSideTokenCheck"] for provider in identity_pool["CognitoIdentityProviders"]] == [True]


def test_only_people_of_this_identity_pool_take_a_role(template: Any) -> None:
    roles = [resource for resource in template["Resources"].values() if resource["Type"] == "AWS::IAM::Role"]

    assert len(roles) == 3
    for role in roles:
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"]["StringEquals"] == {"cognito-identity.amazonaws.com:aud": {"Ref": "IdentityPool"}}
        assert statement["Condition"]["ForAnyValue:StringLike"] == {
            "cognito-identity.amazonaws.com:amr": "authenticated"
        }


def test_policies_name_their_actions_and_this_pool_only(template: Any) -> None:
    policies = [r for r in template["Resources"].values() if r["Type"] == "AWS::IAM::ManagedPolicy"]
    statements = [s for policy in policies for s in policy["Properties"]["PolicyDocument"]["Statement"]]
    actions = {action for statement in statements for action in statement["Action"]}

    assert len(statements) == 2
    assert not [action for action in actions if "*" in action]
    # Either of them would hand out the means to sign in as someone else.
    assert not {"cognito-idp:DescribeUserPoolClient", "cognito-idp:AdminSetUserPassword"} & actions
    assert all(statement["Resource"] == {"Fn::GetAtt": ["Pool", "Arn"]} for statement in statements)


def test_every_setting_has_its_output_and_the_secret_has_none(template: Any) -> None:
    assert set(SETTING_OF_OUTPUT) <= set(template["Outputs"])
    assert "ClientSecret" not in str(template["Outputs"])


def test_every_parameter_is_described_and_grouped(template: Any) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]

    assert sorted(grouped) == sorted(template["Parameters"])
    assert all(parameter["Description"] for parameter in template["Parameters"].values())
    assert [name for name, parameter in template["Parameters"].items() if "Default" not in parameter] == ["SiteUrl"]


def test_the_pool_is_protected_unless_someone_says_otherwise(template: Any) -> None:
    assert template["Parameters"]["DeletionProtection"]["Default"] == "ACTIVE"
    assert template["Resources"]["Pool"]["UpdateReplacePolicy"] == "Retain"


def test_local_parameters_exist(template: Any) -> None:
    assert set(PARAMETERS) <= set(template["Parameters"])


@pytest.mark.ministack
def test_the_deployed_client_returns_people_to_this_site(local_pool: LocalUserPool) -> None:
    answer = local_pool.api.describe_user_pool_client(
        UserPoolId=local_pool.user_pool_id, ClientId=local_pool.client_id
    )["UserPoolClient"]

    assert answer["CallbackURLs"] == ["http://localhost:8000/callback/"]
    assert answer["LogoutURLs"] == ["http://localhost:8000/signed-out/"]
    assert answer["AllowedOAuthScopes"] == local_pool.settings["COGNITO_SCOPES"].split()
    assert answer["TokenValidityUnits"] == dict.fromkeys(("AccessToken", "IdToken", "RefreshToken"), "minutes")


@pytest.mark.ministack
def test_the_deployed_pool_takes_an_address_in_any_case(local_pool: LocalUserPool) -> None:
    answer = local_pool.api.describe_user_pool(UserPoolId=local_pool.user_pool_id)["UserPool"]

    assert answer["UsernameConfiguration"] == {"CaseSensitive": False}
    assert answer["MfaConfiguration"] == "OPTIONAL"
    assert answer["AccountRecoverySetting"]["RecoveryMechanisms"] == [{"Priority": 1, "Name": "verified_email"}]


@pytest.mark.ministack
def test_the_deployed_groups_rank_operators_first(local_pool: LocalUserPool) -> None:
    groups = local_pool.api.list_groups(UserPoolId=local_pool.user_pool_id)["Groups"]

    assert [group["GroupName"] for group in sorted(groups, key=lambda group: group["Precedence"])] == [
        "admins",
        "support",
    ]


@pytest.mark.ministack
def test_people_are_made_again_without_harm(local_pool: LocalUserPool) -> None:
    person = local_pool.add_person("again", groups=("support",))

    make_people(local_pool.url, local_pool.user_pool_id, [person])

    user = local_pool.api.admin_get_user(UserPoolId=local_pool.user_pool_id, Username=person.email)
    groups = local_pool.api.admin_list_groups_for_user(UserPoolId=local_pool.user_pool_id, Username=person.email)
    attributes = {attribute["Name"]: attribute["Value"] for attribute in user["UserAttributes"]}
    assert user["UserStatus"] == "CONFIRMED"
    assert (attributes["email_verified"], attributes["name"]) == ("true", "Again")
    assert [group["GroupName"] for group in groups["Groups"]] == ["support"]
