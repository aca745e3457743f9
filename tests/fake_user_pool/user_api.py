"""The API's operations that the signed-in user's own tokens open: no AWS credentials, and on the wire no signature."""

from __future__ import annotations

from tests.fake_user_pool.issuing import ADMIN_SCOPE
from tests.fake_user_pool.rules import UserPool
from tests.fake_user_pool.shapes import Operation, Parameters, attributes, required
from tests.fake_user_pool.state import Person, PoolError, TokenResponse


def get_user(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return name and attributes of the token's owner: strings only, and no groups."""
    person = _owner(pool, parameters)
    return {"Username": person.username, "UserAttributes": attributes(person)}


def update_user_attributes(pool: UserPool, parameters: Parameters) -> Parameters:
    """Let the token's owner change what the app client may write."""
    person = _owner(pool, parameters)
    changes = {each["Name"]: each["Value"] for each in required(parameters, "UserAttributes")}
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
    refresh_token = required(parameters, "RefreshToken")
    if required(parameters, "ClientId") != pool.client_id:
        raise PoolError("ResourceNotFoundException", f"User pool client {parameters['ClientId']} does not exist.")
    if not _secret_fits(pool, parameters):
        raise PoolError("NotAuthorizedException", f"Unable to verify secret for client {pool.client_id}")
    return {"AuthenticationResult": _authentication_result(pool.refresh(refresh_token))}


def revoke_token(pool: UserPool, parameters: Parameters) -> Parameters:
    """Revoke a refresh token and every token of its sign-in."""
    token = required(parameters, "Token")
    if required(parameters, "ClientId") != pool.client_id or not _secret_fits(pool, parameters):
        raise PoolError("UnauthorizedException", "Invalid client")
    pool.revoke(token)
    return {}


OPERATIONS: dict[str, Operation] = {
    "DeleteUser": delete_user,
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "GetUser": get_user,
    "GlobalSignOut": global_sign_out,
    "RevokeToken": revoke_token,
    "UpdateUserAttributes": update_user_attributes,
}


def _owner(pool: UserPool, parameters: Parameters) -> Person:
    return pool.accept(required(parameters, "AccessToken"), ADMIN_SCOPE).person


def _secret_fits(pool: UserPool, parameters: Parameters) -> bool:
    return not pool.client_secrets or parameters.get("ClientSecret") in pool.client_secrets


def _authentication_result(response: TokenResponse) -> Parameters:
    names = {
        "access_token": "AccessToken",
        "id_token": "IdToken",
        "refresh_token": "RefreshToken",
        "expires_in": "ExpiresIn",
        "token_type": "TokenType",
    }
    return {names.get(name, name): value for name, value in response.items()}
