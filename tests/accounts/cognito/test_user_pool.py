from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import (
    CognitoError,
    ProviderUnavailableError,
    RefusedError,
    ThrottledError,
    UserPoolError,
)
from accounts.cognito.user_pool import UserPoolClient
from tests.fake_user_pool import Failure, FakeUserPool, Person
from tests.fake_user_pool.web import Response, json_response

JSON = "application/x-amz-json-1.1"
TOKEN = "ab.cd.ef.gh.ij"
CALLS: dict[str, Callable[[UserPoolClient], object]] = {
    "GetUser": lambda client: client.get_user(TOKEN),
    "GetTokensFromRefreshToken": lambda client: client.refresh(TOKEN),
    "RevokeToken": lambda client: client.revoke(TOKEN),
    "GlobalSignOut": lambda client: client.global_sign_out(TOKEN),
}
every_operation = pytest.mark.parametrize("operation", CALLS)


@pytest.fixture
def client(config: UserPoolConfig) -> UserPoolClient:
    return UserPoolClient(config, CircuitBreaker(), read_timeout=1)


# --- What works


def test_get_user_returns_the_profile(client: UserPoolClient, pool: FakeUserPool, person: Person) -> None:
    profile = client.get_user(pool.sign_in(person)["access_token"])

    assert profile.subject == person.sub
    assert profile.attributes["name"] == "Uma User"
    assert profile.attributes["email_verified"] == "true"
    assert profile.mfa_methods == ()


def test_refresh_without_rotation_brings_no_refresh_token(
    client: UserPoolClient, pool: FakeUserPool, person: Person
) -> None:
    response = client.refresh(pool.sign_in(person)["refresh_token"])

    assert response.refresh_token is None


def test_refresh_with_rotation_brings_a_new_one(client: UserPoolClient, pool: FakeUserPool, person: Person) -> None:
    pool.rotation = True
    before = pool.sign_in(person)["refresh_token"]

    response = client.refresh(before)

    assert response.refresh_token
    assert response.refresh_token != before


def test_a_revoked_refresh_token_is_refused(client: UserPoolClient, pool: FakeUserPool, person: Person) -> None:
    refresh_token = pool.sign_in(person)["refresh_token"]
    client.revoke(refresh_token)

    with pytest.raises(RefusedError):
        client.refresh(refresh_token)


def test_revoking_twice_is_no_error(client: UserPoolClient, pool: FakeUserPool, person: Person) -> None:
    refresh_token = pool.sign_in(person)["refresh_token"]

    client.revoke(refresh_token)
    client.revoke(refresh_token)

    assert pool.refresh_tokens[refresh_token].sign_in.revoked


def test_a_global_sign_out_ends_every_sign_in(client: UserPoolClient, pool: FakeUserPool, person: Person) -> None:
    here, there = pool.sign_in(person), pool.sign_in(person)

    client.global_sign_out(here["access_token"])

    with pytest.raises(RefusedError):
        client.refresh(there["refresh_token"])


def test_a_public_client_sends_no_secret(config: UserPoolConfig, pool: FakeUserPool, person: Person) -> None:
    pool.client_secrets = []
    client = UserPoolClient(replace(config, client_secrets=()), CircuitBreaker())

    client.refresh(pool.sign_in(person)["refresh_token"])

    assert "ClientSecret" not in pool.calls.of("GetTokensFromRefreshToken")[0].parameters


def test_one_client_serves_many_threads(client: UserPoolClient, pool: FakeUserPool, person: Person) -> None:
    token = pool.sign_in(person)["access_token"]

    with ThreadPoolExecutor(10) as threads:
        profiles = list(threads.map(lambda _: client.get_user(token), range(30)))

    assert {profile.subject for profile in profiles} == {person.sub}


# --- Errors by code

KINDS: dict[type[CognitoError], list[str]] = {
    RefusedError: [
        "NotAuthorizedException",
        "RefreshTokenReuseException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
    ],
    ThrottledError: ["TooManyRequestsException", "LimitExceededException", "ThrottlingException"],
    UserPoolError: [
        "ResourceNotFoundException",
        "InvalidParameterException",
        "ForbiddenException",
        "UnauthorizedException",
        "OperationNotEnabledException",
        "SomethingNewException",
    ],
}


@every_operation
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_code_decides_what_an_error_means_and_nothing_is_retried(
    client: UserPoolClient, pool: FakeUserPool, operation: str, kind: type[CognitoError]
) -> None:
    for code in KINDS[kind]:
        pool.fail(operation, code, times=1)

        with pytest.raises(kind) as error:
            CALLS[operation](client)

        assert type(error.value) is kind
        assert str(error.value) == code
    assert pool.calls.count(operation) == len(KINDS[kind])


# --- Outages

ANSWERS: dict[str, Failure | Response] = {
    **{
        failure.name: failure
        for failure in Failure
        if failure not in {Failure.HANG, Failure.HTML, Failure.TRUNCATED_JSON, Failure.WRONG_SHAPE}
    },
    "bare 429": Response(429),
    "bare 500": Response(500),
    "502 page": Response(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
    "403 page": Response(403, b"<html>blocked</html>", {"Content-Type": "text/html"}),
    "400 empty": Response(400),
    "400 empty object": json_response({}, 400, JSON),
    "error with status 500": json_response({"__type": "NotAuthorized"}, 500, JSON),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_no_answer_is_an_outage_and_is_not_asked_for_again(
    client: UserPoolClient, pool: FakeUserPool, answer: Failure | Response
) -> None:
    pool.fail("*", answer)

    for call in CALLS.values():
        with pytest.raises(ProviderUnavailableError):
            call(client)

    assert pool.calls.count("*") == len(CALLS)


ODD_ANSWERS: dict[str, Failure | Response] = {
    "HTML": Failure.HTML,
    "truncated": Failure.TRUNCATED_JSON,
    "wrong shape": Failure.WRONG_SHAPE,
    "empty": Response(200, b"", {"Content-Type": JSON}),
    "null": json_response(None, 200, JSON),
    "number": json_response(7, 200, JSON),
    "text": json_response("text", 200, JSON),
    "list": json_response([], 200, JSON),
    "empty object": json_response({}, 200, JSON),
    "result null": json_response({"AuthenticationResult": None, "UserAttributes": None}, 200, JSON),
    "result text": json_response({"AuthenticationResult": "a", "UserAttributes": "a"}, 200, JSON),
    "attributes odd": json_response({"Username": "a", "UserAttributes": [7, None, {}]}, 200, JSON),
    "name a number": json_response({"Username": 7, "UserAttributes": []}, 200, JSON),
    "attribute a number": json_response({"Username": "a", "UserAttributes": [{"Name": "sub", "Value": 7}]}, 200, JSON),
    "nested too deep": Response(200, b"[" * 50_000, {"Content-Type": JSON}),
    "tokens odd": json_response({"AuthenticationResult": {"AccessToken": 7, "IdToken": []}}, 200, JSON),
    "not UTF-8": Response(200, b'{"Username": "\xff"}', {"Content-Type": JSON}),
    "400 with a list": json_response([], 400, JSON),
    "400 with null": json_response(None, 400, JSON),
    "400 with a number for a type": json_response({"__type": 7}, 400, JSON),
    "400 not UTF-8": Response(400, b"\xff", {"Content-Type": JSON}),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_nonsense_is_an_outage(client: UserPoolClient, pool: FakeUserPool, name: str) -> None:
    pool.fail("*", ODD_ANSWERS[name])

    for operation in ("GetUser", "GetTokensFromRefreshToken"):
        with pytest.raises(ProviderUnavailableError):
            CALLS[operation](client)


def test_half_a_character_in_an_attribute_is_left_out(client: UserPoolClient, pool: FakeUserPool) -> None:
    attribute = {"Name": "name", "Value": "Uma\ud83d"}
    pool.fail("GetUser", json_response({"Username": "u", "UserAttributes": [attribute]}, 200, JSON))

    assert client.get_user("token").attributes == {"name": "Uma"}


def test_no_answer_is_waited_for_no_longer_than_the_timeout(config: UserPoolConfig, pool: FakeUserPool) -> None:
    client = UserPoolClient(config, CircuitBreaker(), read_timeout=0.2)
    pool.fail("*", Failure.HANG)
    began = time.monotonic()

    for call in CALLS.values():
        with pytest.raises(ProviderUnavailableError):
            call(client)

    assert time.monotonic() - began < 3
    assert pool.calls.count("*") == len(CALLS)


def test_a_refused_connection_is_an_outage(client: UserPoolClient, pool: FakeUserPool) -> None:
    with pool.down():
        for call in CALLS.values():
            with pytest.raises(ProviderUnavailableError):
                call(client)


def test_an_outage_is_over_when_it_is_over(client: UserPoolClient, pool: FakeUserPool, person: Person) -> None:
    tokens = pool.sign_in(person)
    with pool.down(), pytest.raises(ProviderUnavailableError):
        client.get_user(tokens["access_token"])

    assert client.get_user(tokens["access_token"]).subject == person.sub


@pytest.mark.parametrize("token", ["", "white space", "\x00", "tökén", "x" * 200_000])
def test_a_token_the_api_would_not_take_is_a_cognito_error(client: UserPoolClient, token: str) -> None:
    for call in (client.get_user, client.refresh, client.global_sign_out):
        with pytest.raises(CognitoError):
            call(token)


# --- Two client secrets


@pytest.mark.parametrize("position", [0, 1])
def test_while_secrets_rotate_either_one_will_do(
    config: UserPoolConfig, pool: FakeUserPool, person: Person, position: int
) -> None:
    secrets = ["stale" * 8, "stale" * 8]
    secrets[position] = pool.client_secrets[0]
    client = UserPoolClient(replace(config, client_secrets=tuple(secrets)), CircuitBreaker())
    tokens = pool.sign_in(person)

    client.refresh(tokens["refresh_token"])
    client.revoke(tokens["refresh_token"])

    assert pool.refresh_tokens[tokens["refresh_token"]].sign_in.revoked


@pytest.mark.parametrize("answer", [Failure.UNAVAILABLE, "TooManyRequestsException", "RefreshTokenReuseException"])
def test_the_second_secret_is_not_tried_for_any_other_reason(
    config: UserPoolConfig, pool: FakeUserPool, answer: Failure | str
) -> None:
    client = UserPoolClient(replace(config, client_secrets=(pool.client_secrets[0], "fresh" * 8)), CircuitBreaker())
    pool.fail("GetTokensFromRefreshToken", answer)

    with pytest.raises(CognitoError):
        client.refresh(TOKEN)

    assert pool.calls.count("GetTokensFromRefreshToken") == 1


# --- What errors tell


@pytest.mark.parametrize(
    "answer", ["NotAuthorizedException", "ForbiddenException", Failure.UNAVAILABLE, Failure.CLOSED]
)
def test_an_error_never_contains_the_call(client: UserPoolClient, pool: FakeUserPool, answer: str | Failure) -> None:
    pool.fail("*", answer)

    for call in CALLS.values():
        with pytest.raises(CognitoError) as error:
            call(client)

        said = f"{error.value!r} {error.value.__cause__!r}"
        assert TOKEN not in said
        assert pool.client_secrets[0] not in said
