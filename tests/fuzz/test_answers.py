"""Whatever the user pool answers: only the errors that callers know come out, and what is read has its types."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.cognito import oidc
from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import CognitoError, InvalidTokenError, ProviderUnavailableError
from accounts.cognito.jwks import KeySet
from accounts.cognito.tokens import TokenResponse
from accounts.cognito.user_pool import UserPoolClient
from accounts.conf import user_pool_config
from tests.accounts.support import utc_now
from tests.fake_user_pool import FakeUserPool
from tests.fake_user_pool.signing import SigningKey
from tests.fake_user_pool.web import Response
from tests.fuzz.support import FUZZ, JSON, TEXT, answers, nested

GOOD_KEY = SigningKey(0, "good").jwk


@pytest.fixture
def config(pool: FakeUserPool) -> UserPoolConfig:
    del pool
    return user_pool_config()


# --- The key set


def base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8 or 1)).rstrip(b"=").decode()


MODULI = st.sampled_from([0, 1, 15, 2**511 + 1, 2**1023 + 1, 2**2047 + 1, 2**4095 + 1, 2**16384 + 1, 2**100_000 + 1])
EXPONENTS = st.sampled_from([0, 1, 2, 3, 65537, 65536, 2**64 + 1, 2**2048 + 1])


def key_set(*entries: object) -> Response:
    return Response(200, json.dumps({"keys": entries}).encode(), {"Content-Type": "application/json"})


RSA_KEY = st.builds(lambda n, e: GOOD_KEY | {"n": base64url(n), "e": base64url(e)}, MODULI, EXPONENTS)
ENTRY = (
    RSA_KEY
    | st.fixed_dictionaries(
        {},
        optional={
            "kty": st.sampled_from(["RSA", "RSA", "RSA", "EC", "oct", "OKP", "rsa"]) | JSON,
            "use": st.sampled_from(["sig", "enc", ""]) | JSON,
            "alg": st.sampled_from(["RS256", "RS512", "HS256", "none"]) | JSON,
            "kid": st.sampled_from(["good", "other", ""]) | JSON,
            "n": MODULI.map(base64url) | st.just(GOOD_KEY["n"]) | JSON,
            "e": EXPONENTS.map(base64url) | st.just("AQAB") | JSON,
            "d": st.just("AQAB") | JSON,
            "k": JSON,
            "crv": JSON,
            "x": JSON,
            "y": JSON,
            "oth": JSON,
        },
    )
    | st.builds(lambda changes: {**GOOD_KEY, **changes}, st.dictionaries(st.sampled_from(sorted(GOOD_KEY)), JSON))
)
KEY_SETS = st.fixed_dictionaries({"keys": st.lists(ENTRY | JSON, max_size=4)}) | JSON


@given(answer=answers(KEY_SETS))
@example(answer=Response(200, b'{"keys":[' + b" " * 1_000_000 + b"]}"))
@example(answer=Response(200, b'{"keys":' + nested(10_000) + b"}"))
@example(answer=key_set(GOOD_KEY | {"n": base64url(2**1023 + 1), "kid": "other"}))
@example(answer=key_set(GOOD_KEY | {"n": base64url(2**16_384 + 1), "kid": "other"}))
@FUZZ
def test_a_key_set_of_any_shape_yields_usable_keys_or_an_outage(pool: FakeUserPool, answer: Response) -> None:
    pool.recover()
    pool.fail("jwks", answer)

    for kid in ("good", "other", ""):
        with suppress(InvalidTokenError, ProviderUnavailableError):
            key = KeySet(pool.jwks_url).key(kid, utc_now()).public_key
            assert isinstance(key, RSAPublicKey)
            assert 2048 <= key.key_size <= 8192


@given(others=st.lists(ENTRY | JSON, max_size=4))
@example(others=[GOOD_KEY | {"n": 7}, GOOD_KEY | {"e": "AA"}, GOOD_KEY | {"n": "\ud800"}, None])
@FUZZ
def test_one_bad_key_does_not_hide_a_good_one(pool: FakeUserPool, others: list[Any]) -> None:
    pool.recover()
    pool.fail("jwks", key_set(*others, GOOD_KEY | {"kid": "the-good-one"}))

    assert isinstance(KeySet(pool.jwks_url).key("the-good-one", utc_now()).public_key, RSAPublicKey)


# --- The token endpoint

TOKEN_MEMBERS = {
    "access_token": TEXT | JSON,
    "id_token": TEXT | JSON,
    "refresh_token": TEXT | JSON,
    "expires_in": JSON,
    "expires_at": JSON,
    "token_type": JSON,
    "error": st.sampled_from(["invalid_grant", "invalid_client", "server_error"]) | JSON,
    "error_description": JSON,
}
TOKEN_RESPONSES = (
    st.fixed_dictionaries({}, optional=TOKEN_MEMBERS).map(
        lambda members: {"access_token": "a", "id_token": "i"} | members
    )
    | st.fixed_dictionaries({}, optional=TOKEN_MEMBERS)
    | JSON
)


@given(answer=answers(TOKEN_RESPONSES))
@example(answer=Response(200, b'{"access_token":"a","id_token":"b","expires_in":1e999}'))
@example(answer=Response(200, nested(10_000)))
@FUZZ
def test_a_token_response_of_any_shape_is_read_or_a_known_error(
    pool: FakeUserPool, config: UserPoolConfig, answer: Response
) -> None:
    pool.recover()
    pool.fail("token", answer)

    with suppress(CognitoError):
        response = oidc.exchange_code(config, code="c", code_verifier="v" * 43, redirect_uri="http://testserver/")
        check_token_response(response)


def check_token_response(response: TokenResponse) -> None:
    assert isinstance(response.access_token, str)
    assert isinstance(response.id_token, str)
    assert response.refresh_token is None or isinstance(response.refresh_token, str)


# --- The cognito-idp API

API_MEDIA_TYPES = st.sampled_from(["application/x-amz-json-1.1"] * 4 + ["text/html", "application/json", ""])
ATTRIBUTE = st.fixed_dictionaries({}, optional={"Name": TEXT | JSON, "Value": TEXT | JSON})
USERS = st.fixed_dictionaries(
    {},
    optional={
        "Username": TEXT | JSON,
        "UserAttributes": st.lists(ATTRIBUTE | JSON, max_size=4) | JSON,
        "UserMFASettingList": st.lists(TEXT | JSON, max_size=3) | JSON,
        "PreferredMfaSetting": TEXT | JSON,
        "MFAOptions": JSON,
    },
)
RESULTS = st.fixed_dictionaries(
    {
        "AuthenticationResult": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("AccessToken", "IdToken", "RefreshToken", "ExpiresIn"), TEXT | JSON)
        )
        | JSON
    },
    optional={"NewDeviceMetadata": JSON},
)
ERRORS = st.fixed_dictionaries(
    {"__type": st.sampled_from(["NotAuthorizedException", "com.amazonaws#TooManyRequestsException", "#", ""]) | JSON},
    optional={"message": JSON, "Message": JSON, "code": JSON},
)


@pytest.fixture
def client(config: UserPoolConfig) -> UserPoolClient:
    return UserPoolClient(config, CircuitBreaker(8))


@given(answer=answers(USERS | RESULTS | ERRORS | JSON, API_MEDIA_TYPES))
@example(answer=Response(200, nested(10_000), {"Content-Type": "application/x-amz-json-1.1"}))
@example(answer=Response(400, nested(10_000), {"Content-Type": "application/x-amz-json-1.1"}))
@FUZZ
def test_an_answer_of_the_api_of_any_shape_is_read_or_a_known_error(
    pool: FakeUserPool, client: UserPoolClient, answer: Response
) -> None:
    # One that opened would answer by itself.
    client.breaker = CircuitBreaker(8)
    pool.recover()
    pool.fail("*", answer)

    with suppress(CognitoError):
        profile = client.get_user("access")
        shown = [profile.username, profile.preferred_mfa, *profile.mfa_methods, *profile.attributes.values()]
        "".join([*shown, *profile.attributes]).encode()
    with suppress(CognitoError):
        check_token_response(client.refresh("refresh"))
    with suppress(CognitoError):
        client.revoke("refresh")
    with suppress(CognitoError):
        client.global_sign_out("access")
