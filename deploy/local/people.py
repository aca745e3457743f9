"""The people of a local user pool: made through the API, as an administrator would."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from deploy.local.ministack import CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can sign in to the local pool."""

    email: str
    name: str
    password: str
    groups: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def new_password() -> str:
    """Return a password that can be read out and typed, with 60 bits of chance."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(3))


def make_people(endpoint_url: str, user_pool_id: str, people: Iterable[Person]) -> None:
    """Create each person, or bring one who exists back to the name, password and groups given."""
    client = _administrator(endpoint_url)
    for person in people:
        pool, username = user_pool_id, person.email
        attributes: list[AttributeTypeTypeDef] = [
            {"Name": "email", "Value": person.email},
            {"Name": "email_verified", "Value": "true"},
            {"Name": "name", "Value": person.name},
        ]
        try:
            client.admin_create_user(
                UserPoolId=pool, Username=username, UserAttributes=attributes, MessageAction="SUPPRESS"
            )
        except client.exceptions.UsernameExistsException:
            client.admin_update_user_attributes(UserPoolId=pool, Username=username, UserAttributes=attributes)
        client.admin_set_user_password(UserPoolId=pool, Username=username, Password=person.password, Permanent=True)
        for group in person.groups:
            client.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=group)


def _administrator(endpoint_url: str) -> CognitoIdentityProviderClient:
    # botocore, as boto3 is not installed next to the emulator; here, as it would take up half of bin/up's memory.
    import botocore.session

    client = botocore.session.Session().create_client(
        "cognito-idp",
        region_name=REGION,
        endpoint_url=endpoint_url,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    return cast("CognitoIdentityProviderClient", client)
