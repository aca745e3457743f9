"""How the pool describes itself to an administrator, drawn from the settings it really runs on.

`pool.described["UserPoolClient"]["EnableTokenRevocation"] = False` makes it say something else.
"""

from __future__ import annotations

from tests.fake_user_pool.claims import ATTRIBUTES_OF_SCOPE
from tests.fake_user_pool.rules import UserPool
from tests.fake_user_pool.shapes import Parameters, check_pool, required
from tests.fake_user_pool.state import PoolError


def describe_user_pool(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return the settings of the pool."""
    check_pool(pool, parameters)
    settings: Parameters = {
        "Id": pool.pool_id,
        "Name": "fake",
        "Arn": f"arn:aws:cognito-idp:{pool.region}:123456789012:userpool/{pool.pool_id}",
        "Domain": pool.domain_prefix,
        "EstimatedNumberOfUsers": len(pool.people),
        "IssuerConfiguration": {"Type": "UPDATED" if pool.updated_issuer else "ORIGINAL"},
        "MfaConfiguration": "OPTIONAL",
        "UsernameAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
        "UserPoolTier": "ESSENTIALS",
    }
    return {"UserPool": settings | pool.described["UserPool"]}


def describe_user_pool_client(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return the settings of the app client, its secret among them."""
    check_pool(pool, parameters)
    if required(parameters, "ClientId") != pool.client_id:
        raise PoolError("ResourceNotFoundException", f"User pool client {parameters['ClientId']} does not exist.")
    rotation: Parameters = {"Feature": "DISABLED"}
    if pool.rotation:
        rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": int(pool.grace_seconds)}
    settings: Parameters = {
        "UserPoolId": pool.pool_id,
        "ClientId": pool.client_id,
        "ClientName": "fake",
        "AccessTokenValidity": int(pool.access_token_seconds),
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": pool.scopes,
        "CallbackURLs": pool.callback_urls,
        "EnableTokenRevocation": pool.token_revocation,
        "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"],
        "IdTokenValidity": int(pool.id_token_seconds),
        "LogoutURLs": pool.logout_urls,
        "PreventUserExistenceErrors": "ENABLED",
        "ReadAttributes": sorted(ATTRIBUTES_OF_SCOPE["email"] | ATTRIBUTES_OF_SCOPE["profile"]),
        "RefreshTokenRotation": rotation,
        "RefreshTokenValidity": int(pool.refresh_token_seconds),
        "SupportedIdentityProviders": pool.identity_providers,
        "TokenValidityUnits": {"AccessToken": "seconds", "IdToken": "seconds", "RefreshToken": "seconds"},
        "WriteAttributes": ["email", "name"],
    }
    if pool.client_secrets:
        settings["ClientSecret"] = pool.client_secrets[0]
    return {"UserPoolClient": settings | pool.described["UserPoolClient"]}


def describe_user_pool_domain(pool: UserPool, parameters: Parameters) -> Parameters:
    """Return the settings of the domain; an unknown one has none."""
    if required(parameters, "Domain") != pool.domain_prefix:
        return {"DomainDescription": {}}
    settings: Parameters = {
        "Domain": pool.domain_prefix,
        "UserPoolId": pool.pool_id,
        "ManagedLoginVersion": 2 if pool.managed_login else 1,
        "Status": "ACTIVE",
    }
    return {"DomainDescription": settings | pool.described["DomainDescription"]}
