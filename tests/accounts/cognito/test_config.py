from __future__ import annotations

import pytest

from accounts.cognito.config import UserPoolConfig


def derived(user_pool_id: str, *, domain: str = "https://login.example.com", issuer: str = "") -> UserPoolConfig:
    return UserPoolConfig.derive(user_pool_id=user_pool_id, client_id="client", domain=domain, issuer=issuer)


def test_every_address_derives_from_the_pools_id() -> None:
    config = derived("eu-central-1_AbC123")

    assert config.region == "eu-central-1"
    assert config.issuer == "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC123"
    assert config.jwks_url == f"{config.issuer}/.well-known/jwks.json"
    assert config.endpoint_url == ""


def test_china_has_a_domain_of_its_own() -> None:
    config = derived("cn-north-1_AbC123")

    assert config.issuer == "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbC123"


def test_the_keys_follow_an_issuer_that_is_given() -> None:
    issuer = "https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC123"

    assert derived("eu-central-1_AbC123", issuer=issuer).jwks_url == f"{issuer}/.well-known/jwks.json"


def test_a_slash_after_the_domain_does_no_harm() -> None:
    config = derived("eu-central-1_AbC123", domain="https://login.example.com/")

    assert config.authorization_endpoint == "https://login.example.com/oauth2/authorize"
    assert config.token_endpoint == "https://login.example.com/oauth2/token"
    assert config.sign_out_endpoint == "https://login.example.com/logout"


@pytest.mark.parametrize("region", ["us-gov-west-1", "us-iso-east-1", "ap-southeast-4", "il-central-1"])
def test_every_kind_of_region_is_understood(region: str) -> None:
    assert derived(f"{region}_Ab1").region == region


@pytest.mark.parametrize(
    "user_pool_id",
    [
        "",
        "AbC123",
        "_AbC123",
        "eu-central-1",
        "eu-central-1_",
        "eu-central-1_a/b",
        "EU-central-1_a",
        "eu-central-1_a\n",
    ],
)
def test_a_malformed_id_is_refused_with_a_sentence_that_fixes_it(user_pool_id: str) -> None:
    with pytest.raises(ValueError, match="must look like us-east-1_AbC123"):
        derived(user_pool_id)
