"""Key pairs, and every way to sign a token wrongly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

Claims = dict[str, Any]
STRANGER = -1


@cache
def rsa_key(number: int) -> RSAPrivateKey:
    """Return one of this process's key pairs; making one is slow, so all pools share them under `kid`s of their own."""
    del number
    return generate_private_key(public_exponent=65537, key_size=2048)


def new_kid() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class SigningKey:
    """A key pair under the name that tokens and key set know it by."""

    number: int
    kid: str = field(default_factory=new_kid)

    @property
    def private(self) -> RSAPrivateKey:
        return rsa_key(self.number)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as an entry of the key set."""
        numbers = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {"alg": "RS256", "e": numbers["e"], "kid": self.kid, "kty": "RSA", "n": numbers["n"], "use": "sig"}


class Signing(Enum):
    """How a token is signed: rightly, or wrong in one way."""

    RIGHT = "RS256 with the pool's key"
    NONE = "alg none, no signature"
    HS256_WITH_PUBLIC_KEY = "HS256, with the public key's PEM as the secret"
    UNKNOWN_KID = "a key that is not in the key set, named by a kid that is not either"
    STRANGER_KEY = "a key that is not in the key set, under the kid of one that is"
    NO_KID = "the pool's key, but the header does not name it"


def sign(claims: Claims, key: SigningKey, how: Signing = Signing.RIGHT) -> str:
    """Return `claims` as a compact JWS, signed with `key` or wrongly in the way asked for."""
    header = _header(key, how)
    signing_input = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
    return f"{signing_input}.{_b64(_signature(signing_input.encode(), key, how))}"


def sign_raw(header: bytes, payload: bytes, key: SigningKey) -> str:
    """Return any two texts as a compact JWS that is rightly signed, whatever they are."""
    signing_input = f"{_b64(header)}.{_b64(payload)}"
    return f"{signing_input}.{_b64(_signature(signing_input.encode(), key, Signing.RIGHT))}"


def verified_claims(token: str, keys: list[SigningKey]) -> Claims:
    """Return the claims of a token that one of `keys` signed, whatever they say, or raise jwt.InvalidTokenError."""
    kid = jwt.get_unverified_header(token).get("kid")
    key = next((key for key in keys if key.kid == kid), None)
    if key is None:
        raise jwt.InvalidTokenError("unknown kid")
    public_key = key.private.public_key()
    claims: Claims = json.loads(jwt.PyJWS().decode(token, public_key, algorithms=["RS256"]))
    return claims


def _header(key: SigningKey, how: Signing) -> dict[str, str]:
    match how:
        case Signing.NONE:
            return {"alg": "none"}
        case Signing.HS256_WITH_PUBLIC_KEY:
            return {"kid": key.kid, "alg": "HS256"}
        case Signing.UNKNOWN_KID:
            return {"kid": new_kid(), "alg": "RS256"}
        case Signing.NO_KID:
            return {"alg": "RS256"}
        case Signing.RIGHT | Signing.STRANGER_KEY:
            return {"kid": key.kid, "alg": "RS256"}


def _signature(data: bytes, key: SigningKey, how: Signing) -> bytes:
    match how:
        case Signing.NONE:
            return b""
        case Signing.HS256_WITH_PUBLIC_KEY:
            pem = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return hmac.digest(pem, data, hashlib.sha256)
        case Signing.UNKNOWN_KID | Signing.STRANGER_KEY:
            return rsa_key(STRANGER).sign(data, padding.PKCS1v15(), SHA256())
        case Signing.RIGHT | Signing.NO_KID:
            return key.private.sign(data, padding.PKCS1v15(), SHA256())


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
