"""The API's operations that need AWS credentials: people and groups, as an administrator sees and changes them."""

from __future__ import annotations

import re

from tests.fake_user_pool import description
from tests.fake_user_pool.rules import UserPool
from tests.fake_user_pool.shapes import Operation, Parameters, attributes, check_pool, listed, required, state
from tests.fake_user_pool.state import Person, PoolError

FILTER = re.compile(r'\s*"?(?P<name>[\w:]+)"?\s*(?P<operator>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*')
PAGE = 60


def admin_create_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Add a person, who cannot sign in before a password is set."""
    check_pool(pool, parameters)
    email = required(parameters, "Username")
    if any(person.email == email for person in pool.people.values()):
        raise PoolError("UsernameExistsException", "User account already exists")
    attributes = {each["Name"]: each["Value"] for each in parameters.get("UserAttributes", [])}
    person = Person(attributes.pop("email", email), password="", attributes=attributes, created_at=pool.now())
    pool.people[person.sub] = person
    return {"User": listed(person)}


def admin_set_user_password(pool: UserPool, parameters: Parameters) -> Parameters:
    """Set one user's password for good."""
    _named(pool, parameters).password = required(parameters, "Password")
    return {}


def admin_get_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return one user's attributes and state."""
    person = _named(pool, parameters)
    return {"UserAttributes": attributes(person)} | state(person)


def admin_list_groups_for_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return one user's groups."""
    groups = [{"GroupName": name, "UserPoolId": pool.pool_id} for name in _named(pool, parameters).groups]
    return {"Groups": groups}


def admin_user_global_sign_out(pool: UserPool, parameters: Parameters) -> Parameters:
    """Revoke all tokens of one user."""
    pool.sign_out_everywhere(_named(pool, parameters))
    return {}


def admin_disable_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Disable one user."""
    pool.disable(_named(pool, parameters))
    return {}


def admin_enable_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Enable one user."""
    pool.enable(_named(pool, parameters))
    return {}


def admin_delete_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Delete one user."""
    pool.delete(_named(pool, parameters))
    return {}


def admin_add_user_to_group(pool: UserPool, parameters: Parameters) -> Parameters:
    """Add one user to a group; tokens issued before do not change."""
    person, group = _named(pool, parameters), required(parameters, "GroupName")
    pool.set_groups(person, [*(name for name in person.groups if name != group), group])
    return {}


def admin_remove_user_from_group(pool: UserPool, parameters: Parameters) -> Parameters:
    """Take one user out of a group; tokens issued before do not change."""
    person, group = _named(pool, parameters), required(parameters, "GroupName")
    pool.set_groups(person, [name for name in person.groups if name != group])
    return {}


def list_users(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return the users a filter on one attribute finds, page by page."""
    check_pool(pool, parameters)
    start = int(parameters.get("PaginationToken") or 0)
    size = int(parameters.get("Limit") or PAGE)
    found = [person for person in pool.people.values() if _matches(person, parameters.get("Filter", ""))]
    page: Parameters = {"Users": [listed(person) for person in found[start : start + size]]}
    return page | ({"PaginationToken": str(start + size)} if start + size < len(found) else {})


def list_groups(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return every group that anybody is in."""
    check_pool(pool, parameters)
    names = sorted({name for person in pool.people.values() for name in person.groups})
    return {"Groups": [{"GroupName": name, "UserPoolId": pool.pool_id} for name in names]}


def list_users_in_group(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return the people of one group."""
    check_pool(pool, parameters)
    group = required(parameters, "GroupName")
    return {"Users": [listed(person) for person in pool.people.values() if group in person.groups]}


OPERATIONS: dict[str, Operation] = {
    "AdminAddUserToGroup": admin_add_user_to_group,
    "AdminCreateUser": admin_create_user,
    "AdminDeleteUser": admin_delete_user,
    "AdminDisableUser": admin_disable_user,
    "AdminEnableUser": admin_enable_user,
    "AdminGetUser": admin_get_user,
    "AdminListGroupsForUser": admin_list_groups_for_user,
    "AdminRemoveUserFromGroup": admin_remove_user_from_group,
    "AdminSetUserPassword": admin_set_user_password,
    "AdminUserGlobalSignOut": admin_user_global_sign_out,
    "ListUsers": list_users,
    "DescribeUserPool": description.describe_user_pool,
    "DescribeUserPoolClient": description.describe_user_pool_client,
    "DescribeUserPoolDomain": description.describe_user_pool_domain,
    "ListGroups": list_groups,
    "ListUsersInGroup": list_users_in_group,
}


def _named(pool: UserPool, parameters: Parameters) -> Person:
    check_pool(pool, parameters)
    name = required(parameters, "Username")
    for person in pool.people.values():
        if name in {person.username, person.email} or (name == person.sub and not person.provider):
            return person
    raise PoolError("UserNotFoundException", "User does not exist.")


def _matches(person: Person, condition: str) -> bool:
    """Tell whether a person fits a filter such as `email ^= "ann"`; an empty one fits everyone."""
    if not condition:
        return True
    match = FILTER.fullmatch(condition)
    if match is None:
        raise PoolError("InvalidParameterException", "Error while parsing filter")
    wanted = re.sub(r"\\(.)", r"\1", match["value"])
    actual = _searchable(person).get(match["name"], "")
    return actual.startswith(wanted) if match["operator"] == "^=" else actual == wanted


def _searchable(person: Person) -> dict[str, str]:
    state = {"username": person.username, "cognito:user_status": person.status}
    return person.user_attributes | state | {"status": "Enabled" if person.enabled else "Disabled"}
