"""Tokens, whole or as parts that are then signed, into the verifier: only InvalidTokenError comes out."""

from __future__ import annotations

# First: it instruments what the others import.
from tests.fuzz.harness import fuzz  # isort: split

import base64
from contextlib import suppress
from datetime import UTC, datetime

from joserfc.jwk import RSAKey

from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import InvalidTokenError
from accounts.cognito.tokens import TokenResponse
from accounts.cognito.verifier import TokenVerifier
from tests.fake_user_pool import FakeUserPool
from tests.fake_user_pool.signing import sign_raw

POOL = FakeUserPool()
PERSON = POOL.add_person("user@example.com", name="Uma User", groups=["readers"])
RESPONSE = POOL.sign_in(PERSON, nonce="nonce")
NOW = datetime.now(UTC)
KEYS = {"access_token": POOL.access_key, "id_token": POOL.id_key}


class Keys:
    """The pool's keys, without the way to them."""

    def key(self, kid: str, now: datetime) -> object:
        del now
        public = {key.kid: RSAKey.import_key(key.private.public_key()) for key in KEYS.values()}
        if kid not in public:
            raise InvalidTokenError("kid")
        return public[kid]


VERIFIER = TokenVerifier(
    UserPoolConfig.derive(user_pool_id=POOL.pool_id, client_id=POOL.client_id, domain="http://localhost:9"),
    Keys(),  # type: ignore[arg-type]
)


def try_one(data: bytes) -> None:
    """The first byte says what the rest is: a token, or header and payload of one that the pool signs."""
    kind, rest = data[:1], data[1:]
    if kind == b"t":
        for use in KEYS:
            verify(rest.decode("utf-8", "replace"), use)
        return
    header, _, payload = rest.partition(b"\n")
    for use, key in KEYS.items():
        verify(sign_raw(header.replace(b"KID", key.kid.encode()), payload, key), use)


def verify(token: str, use: str) -> None:
    with suppress(InvalidTokenError):
        VERIFIER.verify_sign_in(TokenResponse.parse(RESPONSE | {use: token}), nonce="nonce", now=NOW)
    with suppress(InvalidTokenError):
        VERIFIER.inspect(token, use=use.removesuffix("_token"), now=NOW)


def seeds() -> list[bytes]:
    def part(token: str, number: int) -> bytes:
        text = token.split(".")[number]
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    tokens = [RESPONSE["access_token"], RESPONSE["id_token"]]
    header = b'{"alg": "RS256", "kid": "KID"}'
    return [
        *(b"t" + token.encode() for token in tokens),
        *(b"s" + header + b"\n" + part(token, 1) for token in tokens),
        b's{"alg": "RS256", "kid": "KID", "crit": ["b64"], "b64": false}\n{}',
        b's{"alg": "none", "kid": "KID"}\n{"exp": 1e999, "iat": NaN}',
    ]


if __name__ == "__main__":
    fuzz(try_one, seeds())
