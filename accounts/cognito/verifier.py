"""The one place where tokens are verified, every rule written out."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NamedTuple

from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import InvalidTokenError, TokenClockError
from accounts.cognito.jwks import KeySet
from accounts.cognito.tokens import Claims, TokenResponse, TokenSet, VerifiedTokens

# Imported at first use: `accounts.conf.prepare` says why.
if TYPE_CHECKING:
    from joserfc.jws import JWSRegistry

ALGORITHMS = ["RS256"]
LEEWAY = timedelta(seconds=30)
MAX_TOKEN_LENGTH = 16 * 1024


class Rule(NamedTuple):
    """One verification rule applied to one token; `error` is what breaking it raises."""

    claim: str
    expected: object
    actual: object
    holds: bool
    error: type[InvalidTokenError] = InvalidTokenError


@dataclass(frozen=True, slots=True)
class Inspection:
    """A correctly signed token's claims, and each rule with its verdict."""

    claims: Claims
    rules: tuple[Rule, ...]


class TokenVerifier:
    """Verifies the tokens of one app client of one user pool.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
    """

    def __init__(self, config: UserPoolConfig, keys: KeySet) -> None:
        self.config = config
        self.keys = keys

    def verify_sign_in(self, response: TokenResponse, *, nonce: str, now: datetime) -> VerifiedTokens:
        """Verify the tokens of a code exchange; `nonce` is the one the authorization request sent.

        Raise InvalidTokenError naming the broken rule, TokenClockError if it is a matter of clocks, and
        ProviderUnavailableError if the signing keys are out of reach.
        """
        if response.refresh_token is None:
            raise InvalidTokenError("refresh_token", expected="a refresh token", actual=None)
        tokens = self._verify(response, response.refresh_token, now)
        # OpenID Connect Core section 3.1.3.7 rule 11. Compared only here: after a refresh the claim is optional.
        if not compare_digest(tokens.id_claims.text("nonce").encode(), nonce.encode()):
            raise InvalidTokenError("nonce", expected="the nonce of this authorization request", actual="another")
        return tokens

    def verify_refresh(
        self, response: TokenResponse, *, before: TokenSet, subject: str, now: datetime
    ) -> VerifiedTokens:
        """Verify refreshed tokens against the person they must still belong to (OpenID Connect Core 12.2).

        No new refresh token means the old one stays in use. Raises as `verify_sign_in` does.
        """
        tokens = self._verify(response, response.refresh_token or before.refresh_token, now)
        if tokens.id_claims.subject != subject:
            raise InvalidTokenError("sub", expected=subject, actual=tokens.id_claims.subject)
        return tokens

    def _verify(self, response: TokenResponse, refresh_token: str, now: datetime) -> VerifiedTokens:
        access_claims = self._access_token(response, now)
        id_claims = self._id_token(response, now)
        if access_claims.subject != id_claims.subject:
            raise InvalidTokenError("sub", expected=id_claims.subject, actual=access_claims.subject)
        return VerifiedTokens(
            token_set=TokenSet(
                access_token=response.access_token, id_token=response.id_token, refresh_token=refresh_token
            ),
            id_claims=id_claims,
            access_claims=access_claims,
        )

    def inspect(self, token: str, *, use: str, now: datetime) -> Inspection:
        """Hold one token against every rule without raising at the first broken one; for people to read.

        `use` is `id` or `access`. Raise InvalidTokenError if its signature or format does not hold (then no claim is
        worth a look), and ProviderUnavailableError if the signing keys are out of reach.
        """
        claims = Claims.parse(self._signed_payload(token, now))
        return Inspection(claims=claims, rules=tuple(self._rules(claims, use, now)))

    def _id_token(self, response: TokenResponse, now: datetime) -> Claims:
        claims = self._verified_claims(response.id_token, use="id", now=now)
        at_hash = claims.raw.get("at_hash")
        if at_hash is not None and at_hash != access_token_hash(response.access_token):
            raise InvalidTokenError("at_hash", expected="the hash of this access token", actual=at_hash)
        return claims

    def _access_token(self, response: TokenResponse, now: datetime) -> Claims:
        return self._verified_claims(response.access_token, use="access", now=now)

    def _verified_claims(self, token: str, *, use: str, now: datetime) -> Claims:
        claims = Claims.parse(self._signed_payload(token, now))
        for rule in self._rules(claims, use, now):
            if not rule.holds:
                raise rule.error(rule.claim, expected=rule.expected, actual=rule.actual)
        return claims

    def _rules(self, claims: Claims, use: str, now: datetime) -> Iterator[Rule]:
        """Yield each rule for a token whose signature holds, and whether it holds."""
        config, raw = self.config, claims.raw
        yield Rule("iss", config.issuer, claims.issuer, claims.issuer == config.issuer)
        yield Rule("token_use", use, raw.get("token_use"), raw.get("token_use") == use)
        # Access tokens have `client_id` where ID tokens have `aud`. Cognito's `aud` is a single string; a list, even
        # one that contains us, is not a token made for us alone.
        audience = "aud" if use == "id" else "client_id"
        yield Rule(audience, config.client_id, raw.get(audience), raw.get(audience) == config.client_id)
        yield Rule("exp", "later than now", claims.expires_at, claims.expires_at > now - LEEWAY, TokenClockError)
        yield Rule("iat", "not later than now", claims.issued_at, claims.issued_at <= now + LEEWAY, TokenClockError)
        if "nbf" in raw:
            holds = _at_or_before(raw["nbf"], now + LEEWAY)
            yield Rule("nbf", "not later than now", raw["nbf"], holds, TokenClockError)

    def _signed_payload(self, token: str, now: datetime) -> Mapping[str, Any]:
        from joserfc import errors, jws

        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidTokenError("length", expected=f"at most {MAX_TOKEN_LENGTH}", actual=len(token))
        registry = _registry()
        try:
            message = jws.extract_compact(token.encode(), registry=registry)
            key = self.keys.key(_key_id(message.headers()), now)
            is_signed = jws.validate_compact(message, key, registry=registry)
        except (errors.JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidTokenError("format", expected="a signed JWT", actual=type(error).__name__) from error
        if not is_signed:
            raise InvalidTokenError("signature", expected="made with the issuer's key", actual="another")
        return _json_object(message.payload)


@cache
def _registry() -> JWSRegistry:
    """Return which algorithm a token may be signed with, and what of its header is looked at."""
    from joserfc.jws import JWSRegistry
    from joserfc.registry import HeaderParameter

    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    # All other parameters say where else a key might be, or what nobody asked.
    registry.header_registry = {
        "alg": HeaderParameter("Algorithm", "str", True),
        "kid": HeaderParameter("Key", "str", True),
    }
    # The whole token has been measured.
    registry.max_header_length = registry.max_signature_length = MAX_TOKEN_LENGTH
    return registry


def _key_id(header: object) -> str:
    """Return which of the issuer's keys a token's header names."""
    if not isinstance(header, dict):
        raise InvalidTokenError("format", expected="a JSON object", actual=type(header).__name__)
    # From a fixed list, never from the token: RFC 8725 section 3.1.
    if header.get("alg") not in ALGORITHMS:
        raise InvalidTokenError("alg", expected=ALGORITHMS, actual=header.get("alg"))
    # What must be understood and is not: RFC 7515 section 4.1.11.
    if "crit" in header:
        raise InvalidTokenError("crit", expected="no extension", actual=type(header["crit"]).__name__)
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise InvalidTokenError("kid", expected="a string", actual=type(kid).__name__)
    return kid


def access_token_hash(access_token: str) -> str:
    """Return the `at_hash` of an access token signed with RS256 (OpenID Connect Core section 3.1.3.6)."""
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _json_object(payload: bytes) -> Mapping[str, Any]:
    try:
        claims = _decoder.decode(payload.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError("payload", expected="a JSON object", actual=type(error).__name__) from error
    if not isinstance(claims, dict):
        raise InvalidTokenError("payload", expected="a JSON object", actual=type(claims).__name__)
    return claims


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that occurs twice: two readers could take two different values (RFC 7519 section 4)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members


# Made once; `json.loads` would make one for each token.
_decoder = json.JSONDecoder(object_pairs_hook=_unique_members)


def _at_or_before(seconds: object, moment: datetime) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds <= moment.timestamp()
