"""The domain's endpoints for the relying party's server, and the issuer's two documents.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html
https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html
"""

from __future__ import annotations

import base64
from urllib.parse import unquote

from tests.fake_user_pool.claims import visible_attributes
from tests.fake_user_pool.rules import UserPool
from tests.fake_user_pool.state import PoolError, TokenResponse
from tests.fake_user_pool.web import FORM, Request, Response, json_response

OAUTH_ERRORS = {
    "UnsupportedOperationException": "invalid_request",
    "UnsupportedTokenTypeException": "unsupported_token_type",
}


class OAuthError(Exception):
    """An error answer of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str = "", *, status: int = 400) -> None:
        super().__init__(error)
        document = {"error": error} | ({"error_description": description} if description else {})
        self.response = json_response(document, status)


def token(pool: UserPool, request: Request) -> Response:
    """Exchange a code or a refresh token for tokens."""
    try:
        return json_response(_token_response(pool, request)).with_headers(Access_Control_Allow_Origin="*")
    except OAuthError as error:
        return error.response


def revoke(pool: UserPool, request: Request) -> Response:
    """Revoke a refresh token; 200 says nothing about whether there was one to revoke."""
    if not request.form.get("token"):
        return OAuthError("invalid_request").response
    if not _is_client(pool, request):
        return OAuthError("invalid_client", status=401).response
    try:
        pool.revoke(request.form["token"])
    except PoolError as error:
        return OAuthError(OAUTH_ERRORS[error.code]).response
    return Response(200)


def user_info(pool: UserPool, request: Request) -> Response:
    """Return the attributes the token's scopes open, all as strings."""
    scheme, _, access_token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not access_token:
        return _challenge(400, "invalid_request", "Bad OAuth2 request at UserInfo Endpoint")
    try:
        sign_in = pool.accept(access_token, "openid")
    except PoolError:
        gone = "Access token is expired, disabled, or deleted, or the user has globally signed out."
        return _challenge(401, "invalid_token", gone)
    person = sign_in.person
    shown = {"sub": person.sub, "username": person.username} | visible_attributes(person, sign_in.scopes)
    return json_response(shown)


def key_set(pool: UserPool, request: Request) -> Response:
    """Return the public keys."""
    del request
    keys = [pool.access_key, pool.id_key, *pool.retired_keys]
    return json_response({"keys": [key.jwk for key in keys]})


def openid_configuration(pool: UserPool, request: Request) -> Response:
    """Return the discovery document, which on AWS names neither PKCE nor the pool's own scopes."""
    base_url = f"http://{request.headers['host']}"
    return json_response(
        {
            "authorization_endpoint": f"{base_url}/oauth2/authorize",
            "end_session_endpoint": f"{base_url}/logout",
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": pool.issuer,
            "jwks_uri": f"{base_url}/{pool.pool_id}/.well-known/jwks.json",
            "response_types_supported": ["code", "token"],
            "revocation_endpoint": f"{base_url}/oauth2/revoke",
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
            "token_endpoint": f"{base_url}/oauth2/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "userinfo_endpoint": f"{base_url}/oauth2/userInfo",
        }
    )


def _token_response(pool: UserPool, request: Request) -> TokenResponse:
    form = request.form
    if request.media_type != FORM or "grant_type" not in form:
        raise OAuthError("invalid_request")
    if not _is_client(pool, request):
        raise OAuthError("invalid_client")
    match form["grant_type"]:
        case "authorization_code":
            return _redeem(pool, form)
        case "refresh_token":
            return _refresh(pool, form)
        case "client_credentials":
            raise OAuthError("unauthorized_client")
    raise OAuthError("unsupported_grant_type")


def _redeem(pool: UserPool, form: dict[str, str]) -> TokenResponse:
    if "code" not in form or "redirect_uri" not in form:
        raise OAuthError("invalid_request")
    try:
        return pool.redeem(form["code"], form["redirect_uri"], form.get("code_verifier", ""))
    except PoolError as error:
        raise OAuthError(error.code, error.message) from error


def _refresh(pool: UserPool, form: dict[str, str]) -> TokenResponse:
    if "refresh_token" not in form:
        raise OAuthError("invalid_request")
    try:
        return pool.refresh(form["refresh_token"])
    except PoolError as error:
        raise OAuthError("invalid_grant") from error


def _is_client(pool: UserPool, request: Request) -> bool:
    """Tell whether the request proves to come from the app client, by Basic header or in the body."""
    client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, _, secret = _basic(encoded).partition(":")
    if client_id != pool.client_id:
        return False
    return not pool.client_secrets or bool({secret, unquote(secret)} & set(pool.client_secrets))


def _basic(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return ""


def _challenge(status: int, error: str, description: str) -> Response:
    challenge = f'error="{error}", error_description="{description}"'
    return Response(status).with_headers(WWW_Authenticate=challenge)
