"""The JSON API of user pools, as the signed-in user and as an administrator.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.fake_user_pool.issuing import ADMIN_SCOPE
from tests.fake_user_pool.rules import UserPool
from tests.fake_user_pool.state import Person, PoolError, TokenResponse
from tests.fake_user_pool.web import Request, Response, json_response

TARGET = "AWSCognitoIdentityProviderService."
STATUS = {"InternalErrorException": 500, "UnauthorizedException": 401}
FILTER = re.compile(r'\s*"?(?P<name>[\w:]+)"?\s*(?P<operator>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*')
PAGE = 60

Parameters = dict[str, Any]


def answer(pool: UserPool, request: Request) -> Response:
    """Run the operation that the `X-Amz-Target` header names."""
    name = operation_of(request)
    try:
        if name not in OPERATIONS:
            raise PoolError("UnknownOperationException", f"{name} is not one of the fake pool's operations")
        if name in ADMINISTRATORS and not request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            raise PoolError("MissingAuthenticationTokenException", "Missing Authentication Token")
        return json_response(OPERATIONS[name](pool, request.json), media_type="application/x-amz-json-1.1")
    except PoolError as error:
        return error_response(error.code, error.message)


def operation_of(request: Request) -> str:
    return request.headers.get("x-amz-target", "").removeprefix(TARGET)


def error_response(code: str, message: str = "") -> Response:
    """Return a typed error as the API sends it."""
    document = {"__type": code, "message": message}
    response = json_response(document, STATUS.get(code, 400), media_type="application/x-amz-json-1.1")
    return response.with_headers(x_amzn_ErrorType=f"{code}:")


# With the user's own tokens


def get_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return name and attributes of the token's owner: strings only, and no groups."""
    person = _owner(pool, parameters)
    return {"Username": person.username, "UserAttributes": _attributes(person)}


def update_user_attributes(pool: UserPool, parameters: Parameters) -> Parameters:
    """Let the token's owner change what the app client may write."""
    person = _owner(pool, parameters)
    changes = {each["Name"]: each["Value"] for each in _required(parameters, "UserAttributes")}
    if changes.keys() & {"sub", "email_verified", "phone_number_verified"}:
        raise PoolError("NotAuthorizedException", "A client attempted to write unauthorized attribute")
    person.email = changes.pop("email", person.email)
    person.attributes |= changes
    return {"CodeDeliveryDetailsList": []}


def global_sign_out(pool: UserPool, parameters: Parameters) -> Parameters:
    """Revoke all tokens of the token's owner."""
    pool.sign_out_everywhere(_owner(pool, parameters))
    return {}


def delete_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Delete the token's owner."""
    pool.delete(_owner(pool, parameters))
    return {}


def get_tokens_from_refresh_token(pool: UserPool, parameters: Parameters) -> Parameters:
    """Refresh; the answer has a refresh token only if rotation is on."""
    refresh_token = _required(parameters, "RefreshToken")
    if _required(parameters, "ClientId") != pool.client_id:
        raise PoolError("ResourceNotFoundException", f"User pool client {parameters['ClientId']} does not exist.")
    if not _secret_fits(pool, parameters):
        raise PoolError("NotAuthorizedException", f"Unable to verify secret for client {pool.client_id}")
    return {"AuthenticationResult": _authentication_result(pool.refresh(refresh_token))}


def revoke_token(pool: UserPool, parameters: Parameters) -> Parameters:
    """Revoke a refresh token and every token of its sign-in."""
    token = _required(parameters, "Token")
    if _required(parameters, "ClientId") != pool.client_id or not _secret_fits(pool, parameters):
        raise PoolError("UnauthorizedException", "Invalid client")
    pool.revoke(token)
    return {}


# With AWS credentials


def admin_create_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Add a person, who cannot sign in before a password is set."""
    _check_pool(pool, parameters)
    email = _required(parameters, "Username")
    if any(person.email == email for person in pool.people.values()):
        raise PoolError("UsernameExistsException", "User account already exists")
    attributes = {each["Name"]: each["Value"] for each in parameters.get("UserAttributes", [])}
    person = Person(attributes.pop("email", email), password="", attributes=attributes, created_at=pool.now())
    pool.people[person.sub] = person
    return {"User": {"Attributes": _attributes(person)} | _state(person)}


def admin_set_user_password(pool: UserPool, parameters: Parameters) -> Parameters:
    """Set one user's password for good."""
    _named(pool, parameters).password = _required(parameters, "Password")
    return {}


def admin_get_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return one user's attributes and state."""
    person = _named(pool, parameters)
    return {"UserAttributes": _attributes(person)} | _state(person)


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
    person, group = _named(pool, parameters), _required(parameters, "GroupName")
    pool.set_groups(person, [*(name for name in person.groups if name != group), group])
    return {}


def admin_remove_user_from_group(pool: UserPool, parameters: Parameters) -> Parameters:
    """Take one user out of a group; tokens issued before do not change."""
    person, group = _named(pool, parameters), _required(parameters, "GroupName")
    pool.set_groups(person, [name for name in person.groups if name != group])
    return {}


def list_users(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return the users a filter on one attribute finds, page by page."""
    _check_pool(pool, parameters)
    start = int(parameters.get("PaginationToken") or 0)
    size = int(parameters.get("Limit") or PAGE)
    found = [person for person in pool.people.values() if _matches(person, parameters.get("Filter", ""))]
    page: Parameters = {
        "Users": [{"Attributes": _attributes(person)} | _state(person) for person in found[start : start + size]]
    }
    return page | ({"PaginationToken": str(start + size)} if start + size < len(found) else {})


Operation = Callable[[UserPool, Parameters], Parameters]
ADMINISTRATORS: dict[str, Operation] = {
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
}
OPERATIONS: dict[str, Operation] = ADMINISTRATORS | {
    "DeleteUser": delete_user,
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "GetUser": get_user,
    "GlobalSignOut": global_sign_out,
    "RevokeToken": revoke_token,
    "UpdateUserAttributes": update_user_attributes,
}


def _required(parameters: Parameters, name: str) -> Any:
    if not parameters.get(name):
        raise PoolError("InvalidParameterException", f"Missing required parameter {name}")
    return parameters[name]


def _owner(pool: UserPool, parameters: Parameters) -> Person:
    return pool.accept(_required(parameters, "AccessToken"), ADMIN_SCOPE).person


def _check_pool(pool: UserPool, parameters: Parameters) -> None:
    if _required(parameters, "UserPoolId") != pool.pool_id:
        raise PoolError("ResourceNotFoundException", f"User pool {parameters['UserPoolId']} does not exist.")


def _named(pool: UserPool, parameters: Parameters) -> Person:
    _check_pool(pool, parameters)
    name = _required(parameters, "Username")
    for person in pool.people.values():
        if name in {person.username, person.email} or (name == person.sub and not person.provider):
            return person
    raise PoolError("UserNotFoundException", "User does not exist.")


def _secret_fits(pool: UserPool, parameters: Parameters) -> bool:
    return not pool.client_secrets or parameters.get("ClientSecret") in pool.client_secrets


def _attributes(person: Person) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in person.user_attributes.items()]


def _state(person: Person) -> Parameters:
    return {
        "Username": person.username,
        "Enabled": person.enabled,
        "UserStatus": person.status,
        "UserCreateDate": person.created_at,
        "UserLastModifiedDate": person.created_at,
    }


def _authentication_result(response: TokenResponse) -> Parameters:
    names = {
        "access_token": "AccessToken",
        "id_token": "IdToken",
        "refresh_token": "RefreshToken",
        "expires_in": "ExpiresIn",
        "token_type": "TokenType",
    }
    return {names.get(name, name): value for name, value in response.items()}


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
