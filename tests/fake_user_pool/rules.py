"""The rules of sign-in, refresh and revocation, without HTTP."""

from __future__ import annotations

import base64
import hashlib
import secrets

import jwt

from tests.fake_user_pool import claims
from tests.fake_user_pool.issuing import TokenIssuer
from tests.fake_user_pool.signing import Claims, verified_claims
from tests.fake_user_pool.state import (
    AuthorizationCode,
    BrowserLogin,
    Person,
    PoolError,
    RefreshToken,
    SignIn,
    TokenResponse,
)

CODE_SECONDS = 5 * 60
LOGIN_SECONDS = 60 * 60


class UserPool(TokenIssuer):
    """A user pool's people and their sign-ins. Refusals raise PoolError; state is touched only under `lock`."""

    def __init__(self, *, region: str = "us-east-1") -> None:
        super().__init__(region=region)
        self.people: dict[str, Person] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.logins: dict[str, BrowserLogin] = {}
        self.sign_ins: dict[str, SignIn] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}

    # Signing in

    def check_password(self, email: str, password: str) -> Person:
        """Return whom these credentials belong to."""
        person = next((person for person in self.people.values() if person.email == email), None)
        if person is None or not password or person.password != password:
            raise PoolError("NotAuthorizedException", "Incorrect username or password.")
        if not person.enabled:
            raise PoolError("NotAuthorizedException", "User is disabled.")
        return person

    def new_code(
        self, person: Person, *, scopes: tuple[str, ...], nonce: str, redirect_uri: str, challenge: str, at: float
    ) -> str:
        """Return an authorization code for a person who signed in at the time `at`."""
        code = secrets.token_urlsafe(27)
        self.codes[code] = AuthorizationCode(
            person, scopes, nonce, redirect_uri, challenge, auth_time=at, expires_at=self.now() + CODE_SECONDS
        )
        return code

    def redeem(self, code: str, redirect_uri: str, verifier: str) -> TokenResponse:
        """Return the tokens a code stands for, once."""
        found = self.codes.get(code)
        if found is None or self.now() >= found.expires_at:
            raise PoolError("invalid_grant", "")
        if redirect_uri != found.redirect_uri:
            raise PoolError("unauthorized_client", "invalid_redirect")
        if found.code_challenge and not fits(verifier, found.code_challenge):
            raise PoolError("invalid_grant", "")
        del self.codes[code]
        if not found.person.enabled or found.person.sub not in self.people:
            raise PoolError("invalid_grant", "")
        return self.begin(found.person, found.scopes, nonce=found.nonce, auth_time=found.auth_time)

    def begin(
        self, person: Person, scopes: tuple[str, ...], *, nonce: str = "", auth_time: float | None = None
    ) -> TokenResponse:
        """Begin a sign-in and return its first tokens; a federated one gets a `nonce` even if none was sent."""
        now = self.now()
        sign_in = SignIn(person, scopes, auth_time or now, now + self.refresh_token_seconds)
        self.sign_ins[sign_in.event_id] = sign_in
        nonce = nonce or (secrets.token_urlsafe(32) if person.provider else "")
        return self._issue(sign_in, refresh_token=self._new_refresh_token(sign_in), nonce=nonce)

    # Refreshing

    def refresh(self, token: str) -> TokenResponse:
        """Return new tokens for a refresh token, and a new refresh token if rotation is on."""
        found = self.refresh_tokens.get(token)
        if found is None:
            raise PoolError("NotAuthorizedException", "Invalid Refresh Token")
        self._check_refreshable(found.sign_in)
        if found.retired_at is not None and self.now() >= found.retired_at + self.grace_seconds:
            found.sign_in.revoked |= self.reuse_revokes_family
            raise PoolError("RefreshTokenReuseException", "Refresh token has been invalidated")
        if not self.rotation:
            return self._issue(found.sign_in)
        found.retired_at = found.retired_at or self.now()
        return self._issue(found.sign_in, refresh_token=self._new_refresh_token(found.sign_in))

    def _check_refreshable(self, sign_in: SignIn) -> None:
        if sign_in.person.sub not in self.people:
            raise PoolError("NotAuthorizedException", "The user has been deleted for the associated refresh token")
        if not sign_in.person.enabled:
            raise PoolError("NotAuthorizedException", "User is disabled.")
        if sign_in.revoked:
            raise PoolError("NotAuthorizedException", "Refresh Token has been revoked")
        if self.now() >= sign_in.expires_at:
            raise PoolError("NotAuthorizedException", "Refresh Token has expired")

    # Ending

    def revoke(self, token: str) -> None:
        """End the sign-in of a refresh token; one that is unknown or revoked already is no error."""
        if not self.token_revocation:
            raise PoolError("UnsupportedOperationException", "Token revocation is not enabled for this client")
        if token.count(".") == 2:
            raise PoolError("UnsupportedTokenTypeException", "Unsupported token type")
        if found := self.refresh_tokens.get(token):
            found.sign_in.revoked = True

    def sign_out_everywhere(self, person: Person) -> None:
        """Revoke all tokens of a person, as GlobalSignOut does; the hosted UI's login stays."""
        with self.lock:
            for sign_in in self.sign_ins.values():
                sign_in.revoked |= sign_in.person is person

    def disable(self, person: Person) -> None:
        """Disable a person, which revokes all their tokens for good."""
        with self.lock:
            person.enabled = False
            self.sign_out_everywhere(person)

    def enable(self, person: Person) -> None:
        """Let a person sign in again; their old tokens stay revoked."""
        person.enabled = True

    def delete(self, person: Person) -> None:
        """Forget a person, whose tokens are good for nothing from now on."""
        self.people.pop(person.sub, None)

    def set_groups(self, person: Person, groups: list[str]) -> None:
        """Replace a person's groups: tokens issued from now on carry them."""
        person.groups = list(groups)

    # Access tokens

    def accept(self, access_token: str, scope: str) -> SignIn:
        """Return the sign-in of an access token that is good for `scope` now."""
        sign_in, found = self._authenticate(access_token)
        if self.now() >= found["exp"]:
            raise PoolError("NotAuthorizedException", "Access Token has expired")
        if sign_in.person.sub not in self.people:
            raise PoolError("UserNotFoundException", "User does not exist.")
        if not sign_in.person.enabled:
            raise PoolError("NotAuthorizedException", "User is disabled.")
        if sign_in.revoked:
            raise PoolError("NotAuthorizedException", "Access Token has been revoked")
        if scope not in str(found.get("scope", "")).split():
            raise PoolError("NotAuthorizedException", "Access Token does not have required scopes")
        return sign_in

    def _authenticate(self, access_token: str) -> tuple[SignIn, Claims]:
        keys = [self.access_key, self.id_key, *self.retired_keys, *self.removed_keys]
        try:
            found = verified_claims(access_token, keys)
        except jwt.InvalidSignatureError as error:
            raise PoolError("NotAuthorizedException", "Could not verify signature for Access Token") from error
        except jwt.InvalidTokenError as error:
            raise PoolError("NotAuthorizedException", "Invalid Access Token") from error
        sign_in = self.sign_ins.get(found.get("event_id", ""))
        if sign_in is None or found.get("token_use") != "access":
            raise PoolError("NotAuthorizedException", "Invalid Access Token")
        return sign_in, found

    # Issuing

    def _new_refresh_token(self, sign_in: SignIn) -> str:
        token = claims.opaque_refresh_token()
        self.refresh_tokens[token] = RefreshToken(sign_in)
        return token

    def _issue(self, sign_in: SignIn, *, refresh_token: str = "", nonce: str = "") -> TokenResponse:
        access_token = self.sign_access_token(sign_in)
        response: TokenResponse = {"access_token": access_token}
        if "openid" in sign_in.scopes:
            response["id_token"] = self.sign_id_token(sign_in, access_token, nonce)
        if refresh_token:
            response["refresh_token"] = refresh_token
        response |= {"expires_in": int(self.access_token_seconds), "token_type": "Bearer"}
        return self.tampered("token_response", response)[0]


def fits(verifier: str, challenge: str) -> bool:
    """Tell whether a code verifier belongs to an S256 code challenge (RFC 7636 section 4.6)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
