"""The pool's settings, and the tokens it signs under them."""

from __future__ import annotations

import secrets
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fake_user_pool import claims
from tests.fake_user_pool.signing import Claims, Signing, SigningKey, sign
from tests.fake_user_pool.state import SignIn

ADMIN_SCOPE = "aws.cognito.signin.user.admin"

Change = Callable[[Claims], Claims]


@dataclass
class Tampering:
    """A defect for the next tokens: `what` is "access_token", "id_token" or the whole "token_response"."""

    what: str
    change: Change
    signing: Signing
    times: int


def random_text(length: int, alphabet: str = string.ascii_lowercase + string.digits) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


class TokenIssuer:
    """One user pool with one app client: settings are plain attributes, to be changed at any time."""

    def __init__(self, *, region: str = "us-east-1") -> None:
        self.lock = threading.RLock()
        self.region = region
        self.pool_id = f"{region}_{random_text(9, string.ascii_letters + string.digits)}"
        self.domain_prefix = f"gatehouse-{random_text(8)}"
        self.updated_issuer = False
        """Use the issuer form that a pool with `IssuerConfiguration.Type=UPDATED` has."""
        self.clock_skew = 0.0
        """Seconds by which the pool's clock is ahead of the host's; negative: behind."""

        self.client_id = random_text(26)
        self.client_secrets = [random_text(51)]
        """None for a public client; two while a secret is being replaced."""
        self.callback_urls: list[str] = []
        self.logout_urls: list[str] = []
        self.scopes = ["openid", "email", "profile", ADMIN_SCOPE, "gatehouse/sessions.read"]
        self.identity_providers = ["COGNITO"]
        self.access_token_seconds = 3600.0
        self.id_token_seconds = 3600.0
        self.refresh_token_seconds = 30 * 86400.0
        """Lifetime of a sign-in's refresh tokens, counted from the sign-in."""
        self.rotation = False
        """Replace the refresh token at each refresh."""
        self.grace_seconds = 0.0
        """How long a replaced refresh token still works."""
        self.reuse_revokes_family = False
        """Whether using a replaced refresh token ends the sign-in; AWS documents neither."""
        self.token_revocation = True
        """`EnableTokenRevocation` of the app client."""
        self.managed_login = True
        """Managed login (branding version 2); the classic hosted UI ignores `prompt`."""

        self.described: dict[str, dict[str, Any]] = {"UserPool": {}, "UserPoolClient": {}, "DomainDescription": {}}
        """What the pool says of its settings, where it shall differ from the truth."""

        self.tamperings: list[Tampering] = []
        self.access_key = SigningKey(0)
        self.id_key = SigningKey(1)
        self.retired_keys: list[SigningKey] = []
        """Keys that sign no more and are still in the key set."""
        self.removed_keys: list[SigningKey] = []
        """Keys that are in the key set no more."""

    @property
    def issuer(self) -> str:
        prefix = "issuer-" if self.updated_issuer else ""
        return f"https://{prefix}cognito-idp.{self.region}.amazonaws.com/{self.pool_id}"

    def now(self) -> float:
        """Return the time by the pool's own clock."""
        return time.time() + self.clock_skew

    def sign_access_token(self, sign_in: SignIn) -> str:
        right = claims.access_claims(
            sign_in,
            issuer=self.issuer,
            client_id=self.client_id,
            now=self.now(),
            seconds=self.access_token_seconds,
        )
        claims_now, signing = self.tampered("access_token", right)
        return sign(claims_now, self.access_key, signing)

    def sign_id_token(self, sign_in: SignIn, access_token: str, nonce: str = "") -> str:
        right = claims.id_claims(
            sign_in,
            issuer=self.issuer,
            client_id=self.client_id,
            now=self.now(),
            seconds=self.id_token_seconds,
            access_token=access_token,
            nonce=nonce,
        )
        claims_now, signing = self.tampered("id_token", right)
        return sign(claims_now, self.id_key, signing)

    def tampered(self, what: str, right: Claims) -> tuple[Claims, Signing]:
        """Apply the next tampering with `what`, if one is due; return the claims and how to sign them."""
        tampering = next((each for each in self.tamperings if each.what == what), None)
        if tampering is None:
            return right, Signing.RIGHT
        tampering.times -= 1
        if tampering.times <= 0:
            self.tamperings.remove(tampering)
        return tampering.change(dict(right)), tampering.signing
