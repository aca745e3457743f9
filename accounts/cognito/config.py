"""Where the user pool is and who this relying party is to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from accounts.cognito.redacted import Redacted

POOL_ID = re.compile(r"(?P<region>[a-z]{2,}(?:-[a-z0-9]+)+)_[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class UserPoolConfig(Redacted):
    """Everything the protocol needs to know of one user pool and one app client of it.

    The four addresses coincide on AWS only by derivation (issuer, `jwks_uri`, hosted-UI base URL, API endpoint);
    an empty `endpoint_url` leaves the choice of the API host to the AWS SDK.
    """

    user_pool_id: str
    region: str
    client_id: str
    client_secrets: tuple[str, ...]
    domain: str
    issuer: str
    jwks_url: str
    endpoint_url: str
    scopes: tuple[str, ...]

    @classmethod
    def derive(
        cls,
        *,
        user_pool_id: str,
        client_id: str,
        domain: str,
        client_secrets: tuple[str, ...] = (),
        scopes: tuple[str, ...] = (),
        issuer: str = "",
        jwks_url: str = "",
        endpoint_url: str = "",
    ) -> UserPoolConfig:
        """Build the configuration, deriving every empty address from the pool's id.

        Raise ValueError, with a sentence that fixes it, if the pool id has no region in front.
        https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
        """
        match = POOL_ID.fullmatch(user_pool_id)
        if match is None:
            raise ValueError(
                f"COGNITO_USER_POOL_ID is {user_pool_id!r}; it must look like us-east-1_AbC123, region first."
            )
        region = match["region"]
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        issuer = issuer or f"https://cognito-idp.{region}.{suffix}/{user_pool_id}"
        return cls(
            user_pool_id=user_pool_id,
            region=region,
            client_id=client_id,
            client_secrets=client_secrets,
            domain=domain.rstrip("/"),
            issuer=issuer,
            jwks_url=jwks_url or f"{issuer}/.well-known/jwks.json",
            endpoint_url=endpoint_url,
            scopes=scopes,
        )

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.domain}/oauth2/authorize"

    @property
    def token_endpoint(self) -> str:
        return f"{self.domain}/oauth2/token"

    @property
    def sign_out_endpoint(self) -> str:
        return f"{self.domain}/logout"
