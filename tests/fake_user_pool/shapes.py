"""What the operations of the API have in common: parameters, people as answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fake_user_pool.rules import UserPool
from tests.fake_user_pool.state import Person, PoolError

Parameters = dict[str, Any]
Operation = Callable[[UserPool, Parameters], Parameters]


def required(parameters: Parameters, name: str) -> Any:
    """Return a parameter, or refuse the call that lacks it."""
    if not parameters.get(name):
        raise PoolError("InvalidParameterException", f"Missing required parameter {name}")
    return parameters[name]


def check_pool(pool: UserPool, parameters: Parameters) -> None:
    """Refuse a call that means another pool."""
    if required(parameters, "UserPoolId") != pool.pool_id:
        raise PoolError("ResourceNotFoundException", f"User pool {parameters['UserPoolId']} does not exist.")


def attributes(person: Person) -> list[dict[str, str]]:
    """Return a person's attributes the way the API lists them."""
    return [{"Name": name, "Value": value} for name, value in person.user_attributes.items()]


def state(person: Person) -> Parameters:
    """Return what only administrators see of a person."""
    return {
        "Username": person.username,
        "Enabled": person.enabled,
        "UserStatus": person.status,
        "UserCreateDate": person.created_at,
        "UserLastModifiedDate": person.created_at,
    }


def listed(person: Person) -> Parameters:
    """Return a person as they stand in a list, where attributes go by another name than in AdminGetUser."""
    return {"Attributes": attributes(person)} | state(person)
