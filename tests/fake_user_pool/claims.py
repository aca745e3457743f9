"""What stands in the tokens.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from uuid import uuid4

from tests.fake_user_pool.signing import Claims
from tests.fake_user_pool.state import Person, SignIn

ATTRIBUTES_OF_SCOPE = {
    "email": {"email", "email_verified"},
    "phone": {"phone_number", "phone_number_verified"},
    "profile": {
        "name", "given_name", "middle_name", "family_name", "nickname", "preferred_username", "profile", "picture",
        "website", "gender", "birthdate", "zoneinfo", "locale", "address", "updated_at",
    },
}  # fmt: skip


def access_claims(sign_in: SignIn, *, issuer: str, client_id: str, now: float, seconds: float) -> Claims:
    """Return the claims of an access token: no attributes, and `client_id` where an ID token has `aud`."""
    return _common_claims(sign_in, issuer=issuer, now=now, seconds=seconds) | {
        "version": 2,
        "client_id": client_id,
        "token_use": "access",
        "scope": " ".join(sign_in.scopes),
        "username": sign_in.person.username,
    }


def id_claims(
    sign_in: SignIn, *, issuer: str, client_id: str, now: float, seconds: float, access_token: str, nonce: str
) -> Claims:
    """Return the claims of an ID token; a refreshed one carries no `nonce`."""
    claims = _common_claims(sign_in, issuer=issuer, now=now, seconds=seconds) | {
        "aud": client_id,
        "token_use": "id",
        "cognito:username": sign_in.person.username,
        "at_hash": at_hash(access_token),
    }
    if nonce:
        claims["nonce"] = nonce
    if sign_in.person.provider:
        claims["identities"] = [_identity(sign_in.person)]
    return claims | _attribute_claims(sign_in)


def visible_attributes(person: Person, scopes: tuple[str, ...]) -> dict[str, str]:
    """Return the attributes that `scopes` open, as strings: with `openid` alone, all of them."""
    narrowing = ATTRIBUTES_OF_SCOPE.keys() & set(scopes)
    attributes = person.user_attributes
    if not narrowing:
        return attributes
    shown = {"sub"}.union(*(ATTRIBUTES_OF_SCOPE[scope] for scope in narrowing))
    custom = {name for name in attributes if name.startswith("custom:") and "profile" in narrowing}
    return {name: value for name, value in attributes.items() if name in shown | custom}


def at_hash(access_token: str) -> str:
    """Return the left half of the access token's hash (OpenID Connect Core section 3.1.3.6)."""
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def opaque_refresh_token() -> str:
    """Return what looks like the encrypted JWE that Cognito issues: five parts, about 1.8 kB, nothing to read."""
    header = json.dumps({"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"}, separators=(",", ":")).encode()
    parts = (header, *(secrets.token_bytes(size) for size in (256, 12, 1040, 16)))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _common_claims(sign_in: SignIn, *, issuer: str, now: float, seconds: float) -> Claims:
    claims = {
        "sub": sign_in.person.sub,
        "iss": issuer,
        "origin_jti": sign_in.origin_jti,
        "event_id": sign_in.event_id,
        "auth_time": int(sign_in.auth_time),
        "iat": int(now),
        "exp": int(now + seconds),
        "jti": str(uuid4()),
    }
    return claims | ({"cognito:groups": list(sign_in.person.groups)} if sign_in.person.groups else {})


def _attribute_claims(sign_in: SignIn) -> Claims:
    shown = visible_attributes(sign_in.person, sign_in.scopes)
    return {name: value == "true" if name.endswith("_verified") else value for name, value in shown.items()}


def _identity(person: Person) -> dict[str, str | None]:
    return {
        "userId": person.external_id,
        "providerName": person.provider,
        "providerType": person.provider if person.provider in {"Google", "Facebook"} else "OIDC",
        "issuer": None,
        "primary": "true",
        "dateCreated": str(int(person.created_at * 1000)),
    }
