from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from accounts.cognito import oidc
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import ProviderUnavailableError
from accounts.cognito.tokens import Claims, TokenResponse, TokenSet, VerifiedTokens
from accounts.models.authorization import PendingSignIn

SECRET = "s3cr3t-t3xt"
CLAIMS = Claims.parse({"iss": "i", "sub": "s", "iat": 0, "exp": 1})
TOKEN_SET = TokenSet(access_token=f"a{SECRET}", id_token=f"i{SECRET}", refresh_token=f"r{SECRET}")
HOLDERS: dict[str, object] = {
    "TokenResponse": TokenResponse(access_token=SECRET, id_token=SECRET, refresh_token=SECRET),
    "TokenSet": TOKEN_SET,
    "VerifiedTokens": VerifiedTokens(token_set=TOKEN_SET, id_claims=CLAIMS, access_claims=CLAIMS),
    "AuthorizationRequest": oidc.AuthorizationRequest(url=SECRET, state=SECRET, nonce=SECRET, code_verifier=SECRET),
    "PendingSignIn": PendingSignIn(nonce=SECRET, code_verifier=SECRET, next_url="/"),
    "UserPoolConfig": UserPoolConfig.derive(
        user_pool_id="us-east-1_AbC123", client_id="c", domain="https://d.example", client_secrets=(SECRET, SECRET)
    ),
}
every_holder = pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)


@every_holder
def test_what_holds_secrets_cannot_be_printed(holder: object) -> None:
    printed = f"{holder} {holder!r} {[holder]} { ({'a': holder}) } {ValueError(holder)!r}"

    assert SECRET not in printed
    assert "s3cr3t" not in printed


@every_holder
def test_what_holds_secrets_cannot_be_printed_by_a_template(holder: object) -> None:
    from django.template import Context, Template

    shown = Template("{{ it }} {{ it|pprint }} {% debug %}").render(Context({"it": holder}))

    assert SECRET not in shown


@pytest.mark.parametrize("name", ["TokenResponse", "TokenSet", "VerifiedTokens"])
def test_what_holds_tokens_cannot_be_pickled(name: str) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(HOLDERS[name])


def test_a_token_set_survives_its_serialization() -> None:
    assert TokenSet.from_json(TOKEN_SET.to_json()) == TOKEN_SET


def test_a_token_set_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        TOKEN_SET.access_token = "another"  # type: ignore[misc]


@pytest.mark.parametrize("answer", [None, 7, "text", [], {}, {"access_token": "a"}, {"id_token": "a"}])
def test_half_a_token_response_is_an_outage(answer: object) -> None:
    with pytest.raises(ProviderUnavailableError):
        TokenResponse.parse(answer)


def test_an_empty_refresh_token_is_none() -> None:
    response = TokenResponse.parse({"access_token": "a", "id_token": "b", "refresh_token": ""})

    assert response.refresh_token is None


def test_claims_are_read_into_types() -> None:
    claims = Claims.parse(
        {"iss": "i", "sub": "s", "iat": 0, "exp": 60.5, "auth_time": 1, "scope": " openid  email ", "email": 7}
    )

    assert claims.issued_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert claims.auth_time == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert claims.scopes == ("openid", "email")
    assert claims.text("email") == ""
    assert claims.groups == ()
    assert replace(claims, raw={}).scopes == ()
