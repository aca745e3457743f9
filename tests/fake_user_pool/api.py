"""The JSON API of user pools, as the signed-in user and as an administrator.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from uuid import uuid4

from tests.fake_user_pool import admin_api, user_api
from tests.fake_user_pool.rules import UserPool
from tests.fake_user_pool.shapes import Parameters
from tests.fake_user_pool.state import PoolError
from tests.fake_user_pool.web import Request, Response, json_response

MEDIA_TYPE = "application/x-amz-json-1.1"
TARGET = "AWSCognitoIdentityProviderService."
STATUS = {"InternalErrorException": 500, "UnauthorizedException": 401}
OPERATIONS = user_api.OPERATIONS | admin_api.OPERATIONS


def answer(pool: UserPool, request: Request) -> Response:
    """Run the operation that the `X-Amz-Target` header names."""
    name = operation_of(request)
    signed = request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")
    try:
        if name not in OPERATIONS:
            raise PoolError("UnknownOperationException", f"{name} is not one of the fake pool's operations")
        if name in admin_api.OPERATIONS and not signed:
            raise PoolError("MissingAuthenticationTokenException", "Missing Authentication Token")
        return _response(OPERATIONS[name](pool, request.json))
    except PoolError as error:
        return error_response(error.code, error.message)


def operation_of(request: Request) -> str:
    return request.headers.get("x-amz-target", "").removeprefix(TARGET)


def error_response(code: str, message: str = "") -> Response:
    """Return a typed error as the API sends it."""
    response = _response({"__type": code, "message": message}, STATUS.get(code, 400))
    return response.with_headers(x_amzn_ErrorType=f"{code}:")


def _response(document: Parameters, status: int = 200) -> Response:
    return json_response(document, status, MEDIA_TYPE).with_headers(x_amzn_RequestId=str(uuid4()))
