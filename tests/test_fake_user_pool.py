"""How tests steer the fake user pool; what it has in common with Cognito is stated by tests/contract."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
import requests

from tests.fake_user_pool import Failure, FakeUserPool, Person, Signing
from tests.fake_user_pool.description import describe_user_pool_client


@pytest.fixture
def pool() -> Iterator[FakeUserPool]:
    with FakeUserPool() as pool:
        yield pool


@pytest.fixture
def user(pool: FakeUserPool) -> Person:
    return pool.add_person("user@example.com", groups=["readers"])


def refresh(pool: FakeUserPool, refresh_token: str, timeout: float = 5.0) -> requests.Response:
    target = "AWSCognitoIdentityProviderService.GetTokensFromRefreshToken"
    secret = pool.client_secrets[0]
    parameters = {"RefreshToken": refresh_token, "ClientId": pool.client_id, "ClientSecret": secret}
    return requests.post(pool.base_url, json=parameters, headers={"X-Amz-Target": target}, timeout=timeout)


def claims_of(token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_pool_starts_in_milliseconds() -> None:
    before = time.perf_counter()

    with FakeUserPool() as pool:
        pool.stop()

    assert time.perf_counter() - before < 0.5


def test_pools_have_keys_and_ids_of_their_own(pool: FakeUserPool) -> None:
    other = FakeUserPool()

    assert (other.pool_id, other.client_id) != (pool.pool_id, pool.client_id)
    assert {other.access_key.kid, other.id_key.kid}.isdisjoint({pool.access_key.kid, pool.id_key.kid})


def test_the_environment_is_what_the_app_needs(pool: FakeUserPool) -> None:
    environment = pool.environment()

    assert environment["COGNITO_DOMAIN"] == environment["COGNITO_ENDPOINT_URL"] == pool.base_url
    assert requests.get(environment["COGNITO_JWKS_URL"], timeout=5).json()["keys"]
    assert "COGNITO_ISSUER" not in environment


def test_the_updated_issuer_is_part_of_the_environment(pool: FakeUserPool, user: Person) -> None:
    pool.updated_issuer = True

    issuer = claims_of(pool.mint(user))["iss"]

    assert issuer == pool.environment()["COGNITO_ISSUER"]
    assert issuer == f"https://issuer-cognito-idp.us-east-1.amazonaws.com/{pool.pool_id}"


def test_calls_are_counted_by_operation(pool: FakeUserPool, user: Person) -> None:
    token = pool.sign_in(user)["refresh_token"]

    refresh(pool, token)
    requests.get(pool.jwks_url, timeout=5)

    assert pool.calls.count("GetTokensFromRefreshToken") == 1
    assert pool.calls.of("GetTokensFromRefreshToken")[0].parameters["RefreshToken"] == token
    assert pool.calls.count("*") == 2


def test_slow_calls_of_one_operation_hold_up_nobody_else(pool: FakeUserPool, user: Person) -> None:
    token = pool.sign_in(user)["refresh_token"]
    pool.slow("GetTokensFromRefreshToken", 30)

    with ThreadPoolExecutor(3) as executor:
        answers = [executor.submit(refresh, pool, token) for _ in range(3)]
        pool.calls.wait_for("GetTokensFromRefreshToken", 3)
        keys = requests.get(pool.jwks_url, timeout=5)
        pool.recover()

    assert keys.ok
    assert [answer.result().status_code for answer in answers] == [200, 200, 200]
    assert pool.calls.most_at_once("GetTokensFromRefreshToken") == 3


def test_held_calls_are_answered_after_the_block(pool: FakeUserPool, user: Person) -> None:
    token = pool.sign_in(user)["refresh_token"]

    with ThreadPoolExecutor(1) as executor, pool.held("GetTokensFromRefreshToken"):
        answer = executor.submit(refresh, pool, token)
        pool.calls.wait_for("GetTokensFromRefreshToken")
        waited = not answer.done()

    assert waited
    assert answer.result().ok


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Failure.THROTTLED, 400, "TooManyRequestsException"),
        (Failure.INTERNAL_ERROR, 500, "InternalErrorException"),
        ("PasswordResetRequiredException", 400, "PasswordResetRequiredException"),
    ],
)
def test_api_calls_fail_with_typed_errors(
    pool: FakeUserPool, user: Person, failure: Failure | str, status: int, code: str
) -> None:
    token = pool.sign_in(user)["refresh_token"]
    pool.fail("GetTokensFromRefreshToken", failure, times=1)

    failed = refresh(pool, token)

    assert (failed.status_code, failed.json()["__type"]) == (status, code)
    assert refresh(pool, token).ok


@pytest.mark.parametrize("failure", [Failure.HTML, Failure.TRUNCATED_JSON])
def test_nonsense_is_not_json_but_claims_success(pool: FakeUserPool, failure: Failure) -> None:
    pool.fail("jwks", failure)

    answer = requests.get(pool.jwks_url, timeout=5)

    assert answer.ok
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("failure", [Failure.CLOSED, Failure.LOST_ANSWER])
def test_a_dropped_connection_gives_no_answer(pool: FakeUserPool, failure: Failure) -> None:
    pool.fail("jwks", failure)

    with pytest.raises(requests.ConnectionError):
        requests.get(pool.jwks_url, timeout=5)


def test_a_lost_answer_means_that_the_work_was_done(pool: FakeUserPool, user: Person) -> None:
    pool.rotation = True
    token = pool.sign_in(user)["refresh_token"]
    pool.fail("GetTokensFromRefreshToken", Failure.LOST_ANSWER, times=1)

    with pytest.raises(requests.ConnectionError):
        refresh(pool, token)

    assert refresh(pool, token).json()["__type"] == "RefreshTokenReuseException"


def test_a_hanging_call_ends_when_the_pool_stops(pool: FakeUserPool) -> None:
    pool.fail("jwks", Failure.HANG)

    with ThreadPoolExecutor(1) as executor:
        answer = executor.submit(requests.get, pool.jwks_url, timeout=5)
        pool.calls.wait_for("jwks")
        pool.stop()

    assert isinstance(answer.exception(), requests.ConnectionError)


def test_a_pool_that_is_down_refuses_connections_and_comes_back(pool: FakeUserPool) -> None:
    with requests.Session() as session:
        session.get(pool.jwks_url, timeout=5)

        with pool.down(), pytest.raises(requests.ConnectionError):
            session.get(pool.jwks_url, timeout=5)

        assert session.get(pool.jwks_url, timeout=5).ok


def test_a_tampered_claim_is_validly_signed_and_used_up(pool: FakeUserPool, user: Person) -> None:
    pool.tamper("id_token", lambda claims: claims | {"aud": "someone-else"})

    tokens = [pool.sign_in(user)["id_token"] for _ in range(2)]

    key = jwt.PyJWK(pool.id_key.jwk)
    assert jwt.decode(tokens[0], key, audience="someone-else")["sub"] == user.sub
    assert jwt.decode(tokens[1], key, audience=pool.client_id)["sub"] == user.sub


def test_a_token_response_can_be_tampered_with(pool: FakeUserPool, user: Person) -> None:
    token = pool.sign_in(user)["refresh_token"]
    pool.tamper("token_response", lambda response: response | {"access_token": response["id_token"]})

    result = refresh(pool, token).json()["AuthenticationResult"]

    assert claims_of(result["AccessToken"])["token_use"] == "id"


@pytest.mark.parametrize("signing", [how for how in Signing if how is not Signing.RIGHT])
def test_a_wrongly_signed_token_fails_verification(pool: FakeUserPool, user: Person, signing: Signing) -> None:
    token = pool.mint(user, signing=signing)

    with pytest.raises((jwt.InvalidTokenError, KeyError)):
        jwt.decode(token, jwt.PyJWKSet([pool.access_key.jwk])[jwt.get_unverified_header(token)["kid"]])


def test_minted_tokens_are_of_live_sign_ins(pool: FakeUserPool, user: Person) -> None:
    token = pool.mint(user, "access", lambda claims: claims | {"custom": "x"})

    assert pool.accept(token, "openid").person is user


def test_rotated_keys_sign_under_new_names(pool: FakeUserPool, user: Person) -> None:
    old = pool.mint(user)

    pool.rotate_keys(keep_old=False)

    published = {key["kid"] for key in requests.get(pool.jwks_url, timeout=5).json()["keys"]}
    assert jwt.get_unverified_header(pool.mint(user))["kid"] in published
    assert jwt.get_unverified_header(old)["kid"] not in published


def test_the_old_keys_may_stay_in_the_key_set(pool: FakeUserPool) -> None:
    pool.rotate_keys()

    assert len(requests.get(pool.jwks_url, timeout=5).json()["keys"]) == 4


def test_the_pool_can_describe_a_setting_as_it_is_not(pool: FakeUserPool) -> None:
    pool.described["UserPoolClient"]["EnableTokenRevocation"] = False

    answer = describe_user_pool_client(pool, {"UserPoolId": pool.pool_id, "ClientId": pool.client_id})

    assert answer["UserPoolClient"]["EnableTokenRevocation"] is False
    assert pool.token_revocation


def test_an_error_of_the_fake_itself_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = FakeUserPool()
    pool.start()
    monkeypatch.setattr(FakeUserPool, "issuer", property(lambda _: 1 / 0))

    with pytest.raises(requests.ConnectionError):
        requests.get(f"{pool.base_url}/{pool.pool_id}/.well-known/openid-configuration", timeout=5)

    with pytest.raises(ZeroDivisionError):
        pool.stop()
