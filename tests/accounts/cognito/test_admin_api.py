from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from accounts.cognito.admin_api import AccessDeniedError, AdminClient, UserNotFoundError
from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import ProviderUnavailableError, RefusedError, ThrottledError, UserPoolError
from tests.fake_user_pool import Failure, FakeUserPool, Person

CALLS: dict[str, Callable[[AdminClient, str], object]] = {
    "AdminGetUser": lambda client, name: client.get_user(name),
    "AdminUserGlobalSignOut": lambda client, name: client.global_sign_out(name),
}
every_operation = pytest.mark.parametrize("operation", CALLS)
# The body of a success that has none to read is not looked at.
NONSENSE = {Failure.TRUNCATED_JSON, Failure.WRONG_SHAPE}
SILENCE = [failure for failure in Failure if failure not in {Failure.LOST_ANSWER, *NONSENSE}]


@pytest.fixture
def client(config: UserPoolConfig, aws_credentials: None) -> AdminClient:
    return AdminClient(config, CircuitBreaker(), read_timeout=1)


def test_a_user_is_described_in_cognitos_words(client: AdminClient, pool: FakeUserPool, person: Person) -> None:
    found = client.get_user(person.username)

    assert (found.username, found.status, found.is_enabled) == (person.username, "CONFIRMED", True)
    assert found.created_at is not None
    assert found.created_at.tzinfo is not None
    assert (found.mfa_methods, found.preferred_mfa) == ((), "")


def test_a_disabled_user_is_described_as_that(client: AdminClient, pool: FakeUserPool, person: Person) -> None:
    pool.disable(person)

    assert not client.get_user(person.username).is_enabled


def test_signing_out_ends_every_sign_in(client: AdminClient, pool: FakeUserPool, person: Person) -> None:
    tokens = pool.sign_in(person)

    client.global_sign_out(person.username)

    assert pool.refresh_tokens[tokens["refresh_token"]].sign_in.revoked


def test_a_federated_user_is_known_by_user_name_only(client: AdminClient, pool: FakeUserPool) -> None:
    person = pool.add_person("fed@example.com", provider="Okta")

    assert client.get_user(person.username).status == "EXTERNAL_PROVIDER"
    with pytest.raises(UserNotFoundError):
        client.get_user(person.sub)


@every_operation
def test_an_unknown_user_is_not_found(client: AdminClient, operation: str) -> None:
    with pytest.raises(UserNotFoundError):
        CALLS[operation](client, "nobody")


@every_operation
@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException", "NotAuthorizedException"])
def test_a_refusal_of_our_own_rights_names_the_action(
    client: AdminClient, pool: FakeUserPool, person: Person, operation: str, code: str
) -> None:
    pool.fail(operation, code)

    with pytest.raises(AccessDeniedError, match=f"{code}.*cognito-idp:{operation}") as refusal:
        CALLS[operation](client, person.username)

    assert not isinstance(refusal.value, RefusedError)


@every_operation
def test_without_credentials_nothing_is_sent(
    config: UserPoolConfig, pool: FakeUserPool, person: Person, no_aws_credentials: None, operation: str
) -> None:
    client = AdminClient(config, CircuitBreaker())

    with pytest.raises(AccessDeniedError, match="NoCredentialsError"):
        CALLS[operation](client, person.username)

    assert pool.calls.count(operation) == 0


@every_operation
def test_another_pool_is_a_configuration_alarm(
    config: UserPoolConfig, person: Person, aws_credentials: None, operation: str
) -> None:
    client = AdminClient(replace(config, user_pool_id="us-east-1_Other"), CircuitBreaker())

    with pytest.raises(UserPoolError, match="ResourceNotFoundException"):
        CALLS[operation](client, person.username)


@every_operation
@pytest.mark.parametrize("failure", SILENCE)
def test_an_outage_is_no_refusal_and_is_tried_once(
    client: AdminClient, pool: FakeUserPool, person: Person, operation: str, failure: Failure
) -> None:
    pool.fail(operation, failure)
    expected = ThrottledError if failure is Failure.THROTTLED else ProviderUnavailableError

    with pytest.raises(expected):
        CALLS[operation](client, person.username)

    assert pool.calls.count(operation) == 1


@pytest.mark.parametrize("failure", NONSENSE)
def test_nonsense_about_a_user_is_an_outage(
    client: AdminClient, pool: FakeUserPool, person: Person, failure: Failure
) -> None:
    pool.fail("AdminGetUser", failure)

    with pytest.raises(ProviderUnavailableError):
        client.get_user(person.username)
