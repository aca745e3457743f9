"""The same journeys through this project's own doors: what Cognito says arrives as our types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.cognito import oidc
from accounts.cognito.admin_api import AdminClient, UserNotFoundError
from accounts.cognito.breaker import CircuitBreaker
from accounts.cognito.clock import Clock
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import (
    AuthorizationResponseError,
    InvalidGrantError,
    InvalidTokenError,
    ProviderUnavailableError,
    RefusedError,
    TokenEndpointError,
    UserPoolError,
)
from accounts.cognito.jwks import KeySet
from accounts.cognito.tokens import TokenResponse, VerifiedTokens
from accounts.cognito.user_pool import UserPoolClient
from accounts.cognito.verifier import TokenVerifier
from tests.contract.support import Browser, Person, Pool, fake_only
from tests.fake_user_pool import Failure, FakeUserPool

# Without the one that takes as long as the caller's patience.
OUTAGES = [failure for failure in Failure if failure not in {Failure.HANG}]


@pytest.fixture
def config(pool: Pool) -> UserPoolConfig:
    return UserPoolConfig.derive(
        user_pool_id=pool.user_pool_id,
        client_id=pool.client_id,
        client_secrets=(pool.client_secret,),
        domain=pool.url,
        scopes=tuple(pool.scope.split()),
        jwks_url=pool.settings["COGNITO_JWKS_URL"],
        endpoint_url=pool.settings["COGNITO_ENDPOINT_URL"],
    )


@pytest.fixture
def client(config: UserPoolConfig) -> UserPoolClient:
    return UserPoolClient(config, CircuitBreaker(), read_timeout=2)


@pytest.fixture
def administrator(config: UserPoolConfig, aws_credentials: None) -> AdminClient:
    return AdminClient(config, CircuitBreaker())


@pytest.fixture
def verifier(config: UserPoolConfig) -> TokenVerifier:
    return TokenVerifier(config, KeySet(config.jwks_url))


class Visit:
    """One person's way through an authorization request of ours to the code."""

    def __init__(self, pool: Pool, config: UserPoolConfig, browser: Browser, person: Person) -> None:
        self.config = config
        self.redirect_uri = pool.callback
        self.request = oidc.authorization_request(config, redirect_uri=self.redirect_uri)
        response = browser.sign_in(self.request.url, person)
        self.answer = parse_qs(urlsplit(response.headers["Location"]).query)
        self.code = oidc.read_authorization_response(self.answer)

    def exchange(self, code_verifier: str = "") -> TokenResponse:
        return oidc.exchange_code(
            self.config,
            code=self.code,
            code_verifier=code_verifier or self.request.code_verifier,
            redirect_uri=self.redirect_uri,
        )


@pytest.fixture
def visit(pool: Pool, config: UserPoolConfig, browser: Browser, admin: Person) -> Visit:
    return Visit(pool, config, browser, admin)


@pytest.fixture
def tokens(visit: Visit, verifier: TokenVerifier) -> VerifiedTokens:
    """Return the verified tokens of somebody who has just signed in."""
    return verifier.verify_sign_in(visit.exchange(), nonce=visit.request.nonce, now=datetime.now(UTC))


def test_the_tokens_of_a_sign_in_pass_every_rule(tokens: VerifiedTokens, admin: Person, config: UserPoolConfig) -> None:
    assert tokens.id_claims.text("email") == admin.email
    assert tokens.id_claims.groups == tokens.access_claims.groups == ("admins",)
    assert set(tokens.access_claims.scopes) == set(config.scopes)


def test_the_state_comes_back(visit: Visit) -> None:
    assert visit.answer["state"] == [visit.request.state]


def test_the_tokens_of_another_authorization_request_are_refused(visit: Visit, verifier: TokenVerifier) -> None:
    response = visit.exchange()

    with pytest.raises(InvalidTokenError) as refusal:
        verifier.verify_sign_in(response, nonce="of another request", now=datetime.now(UTC))

    assert refusal.value.claim == "nonce"


def test_a_used_code_is_an_invalid_grant(visit: Visit) -> None:
    visit.exchange()

    with pytest.raises(InvalidGrantError):
        visit.exchange()


def test_a_wrong_verifier_is_an_invalid_grant(visit: Visit) -> None:
    with pytest.raises(InvalidGrantError):
        visit.exchange(code_verifier="x" * 43)


def test_the_second_of_two_secrets_is_tried(pool: Pool, config: UserPoolConfig, browser: Browser, user: Person) -> None:
    both = UserPoolConfig.derive(
        user_pool_id=config.user_pool_id,
        client_id=config.client_id,
        client_secrets=("x" * 51, pool.client_secret),
        domain=config.domain,
        scopes=config.scopes,
    )

    response = Visit(pool, both, browser, user).exchange()

    assert response.refresh_token


def test_a_wrong_secret_is_an_error_of_ours(pool: Pool, config: UserPoolConfig, browser: Browser, user: Person) -> None:
    wrong = UserPoolConfig.derive(
        user_pool_id=config.user_pool_id,
        client_id=config.client_id,
        client_secrets=("x" * 51,),
        domain=config.domain,
        scopes=config.scopes,
    )

    with pytest.raises(TokenEndpointError) as refusal:
        Visit(pool, wrong, browser, user).exchange()

    assert refusal.value.error == "invalid_client"
    assert not isinstance(refusal.value, InvalidGrantError)


def test_the_profile_belongs_to_the_person(client: UserPoolClient, tokens: VerifiedTokens, admin: Person) -> None:
    profile = client.get_user(tokens.token_set.access_token)

    assert profile.subject == tokens.id_claims.subject
    assert (profile.attributes["email"], profile.attributes["email_verified"]) == (admin.email, "true")


def test_refreshed_tokens_pass_every_rule(
    client: UserPoolClient, verifier: TokenVerifier, tokens: VerifiedTokens
) -> None:
    response = client.refresh(tokens.token_set.refresh_token)
    refreshed = verifier.verify_refresh(
        response, before=tokens.token_set, subject=tokens.id_claims.subject, now=datetime.now(UTC)
    )

    assert refreshed.id_claims.groups == ("admins",)
    assert refreshed.id_claims.origin_jti == tokens.id_claims.origin_jti
    assert refreshed.token_set.access_token != tokens.token_set.access_token


def test_after_revocation_refresh_and_profile_are_refused(client: UserPoolClient, tokens: VerifiedTokens) -> None:
    client.revoke(tokens.token_set.refresh_token)

    with pytest.raises(RefusedError):
        client.refresh(tokens.token_set.refresh_token)
    with pytest.raises(RefusedError):
        client.get_user(tokens.token_set.access_token)


def test_signing_out_everywhere_twice_is_refused(client: UserPoolClient, tokens: VerifiedTokens) -> None:
    client.global_sign_out(tokens.token_set.access_token)

    with pytest.raises(RefusedError):
        client.global_sign_out(tokens.token_set.access_token)


def test_an_administrator_learns_of_a_user_by_the_name_in_the_token(
    pool: Pool, administrator: AdminClient, tokens: VerifiedTokens, admin: Person
) -> None:
    username = tokens.id_claims.text("cognito:username")
    before = administrator.get_user(username)
    pool.admin.admin_disable_user(UserPoolId=pool.user_pool_id, Username=admin.email)

    assert (before.username, before.status, before.is_enabled) == (username, "CONFIRMED", True)
    assert before.created_at is not None
    assert before.modified_at is not None
    assert not administrator.get_user(username).is_enabled


def test_an_administrator_signs_somebody_out_everywhere_and_may_repeat_it(
    administrator: AdminClient, client: UserPoolClient, tokens: VerifiedTokens
) -> None:
    username = tokens.id_claims.text("cognito:username")

    administrator.global_sign_out(username)
    administrator.global_sign_out(username)

    with pytest.raises(RefusedError):
        client.refresh(tokens.token_set.refresh_token)


def test_an_administrator_is_told_that_there_is_no_such_user(administrator: AdminClient) -> None:
    with pytest.raises(UserNotFoundError):
        administrator.get_user("nobody@example.com")
    with pytest.raises(UserNotFoundError):
        administrator.global_sign_out("nobody@example.com")


def test_every_answer_tells_the_time(config: UserPoolConfig, tokens: VerifiedTokens) -> None:
    clock = Clock()

    UserPoolClient(config, CircuitBreaker(), clock).get_user(tokens.token_set.access_token)

    assert clock.reading is not None
    assert abs(clock.reading.ahead) < timedelta(seconds=30)


@pytest.mark.parametrize("fate", ["disabled", "deleted"])
def test_somebody_disabled_or_deleted_is_refused(
    pool: Pool, client: UserPoolClient, tokens: VerifiedTokens, admin: Person, fate: str
) -> None:
    act = pool.admin.admin_disable_user if fate == "disabled" else pool.admin.admin_delete_user
    act(UserPoolId=pool.user_pool_id, Username=admin.email)

    with pytest.raises(RefusedError):
        client.refresh(tokens.token_set.refresh_token)
    with pytest.raises(RefusedError):
        client.get_user(tokens.token_set.access_token)


def test_an_unknown_client_says_nothing_of_the_person(config: UserPoolConfig, tokens: VerifiedTokens) -> None:
    stranger = UserPoolConfig.derive(
        user_pool_id=config.user_pool_id,
        client_id="0123456789abcdefghijklmnop",
        domain=config.domain,
        endpoint_url=config.endpoint_url,
    )

    with pytest.raises(UserPoolError) as refusal:
        UserPoolClient(stranger, CircuitBreaker()).refresh(tokens.token_set.refresh_token)

    assert not isinstance(refusal.value, RefusedError)
    assert refusal.value.code == "ResourceNotFoundException"


def test_the_sign_out_address_comes_back_to_us(pool: Pool, config: UserPoolConfig, browser: Browser) -> None:
    response = browser.visit(oidc.sign_out_url(config, sign_out_uri=pool.signed_out))

    assert response.headers["Location"] == pool.signed_out


@fake_only("never rotates")
def test_a_rotated_refresh_token_takes_the_place_of_the_old_one(
    fake: FakeUserPool, client: UserPoolClient, verifier: TokenVerifier, tokens: VerifiedTokens
) -> None:
    fake.rotation = True

    response = client.refresh(tokens.token_set.refresh_token)
    refreshed = verifier.verify_refresh(
        response, before=tokens.token_set, subject=tokens.id_claims.subject, now=datetime.now(UTC)
    )

    assert refreshed.token_set.refresh_token == response.refresh_token != tokens.token_set.refresh_token
    with pytest.raises(RefusedError):
        client.refresh(tokens.token_set.refresh_token)


@fake_only("has no way to refuse consent")
def test_somebody_who_cancels_was_denied_access(pool: Pool, fake: FakeUserPool, config: UserPoolConfig) -> None:
    request = oidc.authorization_request(config, redirect_uri=pool.callback)
    answer = parse_qs(urlsplit(fake.cancel(request.url)).query)

    with pytest.raises(AuthorizationResponseError) as refusal:
        oidc.read_authorization_response(answer)

    assert refusal.value.error == "access_denied"


@fake_only("does not fail on request")
@pytest.mark.parametrize("failure", OUTAGES, ids=lambda failure: failure.name)
def test_a_failure_of_the_pool_is_no_refusal(
    fake: FakeUserPool, client: UserPoolClient, tokens: VerifiedTokens, failure: Failure
) -> None:
    fake.fail("*", failure)

    with pytest.raises(ProviderUnavailableError):
        client.refresh(tokens.token_set.refresh_token)
    with pytest.raises(ProviderUnavailableError):
        client.get_user(tokens.token_set.access_token)
