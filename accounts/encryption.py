"""Encryption at rest: JWE with a key ring, every ciphertext bound to the row it belongs to."""

from __future__ import annotations

import base64
import binascii
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed

# Imported at first use: `accounts.conf.prepare` says why.
if TYPE_CHECKING:
    from joserfc.jwe import JWERegistry
    from joserfc.jwk import OctKey

KEY_BYTES = 32
# joserfc refuses to open what is longer than 64 kB, and token sets have no documented maximum.
MAX_LENGTH = 256 * 1024


class SealedDataError(Exception):
    """The ciphertext is damaged or belongs to another row: nobody will ever read it again."""


class UnknownKeyError(Exception):
    """The ciphertext was made with a key that is not in this process's TOKEN_ENCRYPTION_KEYS.

    Another host may have it, and this one after the next restart: nothing is lost yet.
    """


def seal(plaintext: bytes, *, bound_to: str) -> str:
    """Encrypt with the first key of TOKEN_ENCRYPTION_KEYS; only `unseal` with the same `bound_to` reads it back.

    A compact JWE (RFC 7516): `dir` with A256GCM, the key's id and `bound_to` in the protected header.
    """
    from joserfc import jwe

    kid, key = next(iter(_key_ring().items()))
    header = {"alg": "dir", "enc": "A256GCM", "kid": kid, "row": bound_to}
    return jwe.encrypt_compact(header, plaintext, key, registry=_registry())


def unseal(sealed: str, *, bound_to: str) -> bytes:
    """Decrypt what `seal` made with any key of the ring. Raise SealedDataError or UnknownKeyError if it cannot be."""
    from joserfc import errors, jwe

    def key_of(recipient: Any) -> OctKey:
        kid = recipient.headers().get("kid")
        if not isinstance(kid, str):
            raise ValueError("no key is named")
        if kid not in _key_ring():
            raise UnknownKeyError(f"key {kid} is not in TOKEN_ENCRYPTION_KEYS")
        return _key_ring()[kid]

    try:
        message = jwe.decrypt_compact(sealed, key_of, registry=_registry())
    except (errors.JoseError, ValueError, TypeError, RecursionError) as error:
        raise SealedDataError(type(error).__name__) from error
    if message.protected.get("row") != bound_to or message.plaintext is None:
        raise SealedDataError("the ciphertext belongs to another row")
    return message.plaintext


def is_sealed_with_newest_key(sealed: str) -> bool:
    """Tell whether `seal` would use the same key today; a ciphertext that cannot be read is not."""
    from joserfc.util import urlsafe_b64decode

    try:
        header = json.loads(urlsafe_b64decode(sealed.partition(".")[0].encode()))
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and header.get("kid") == next(iter(_key_ring()))


def parse_key(text: str) -> OctKey:
    """Return one key, as `manage.py generate_key` prints it. Raise ValueError as `key_bytes` does."""
    from joserfc.jwk import OctKey

    return OctKey.import_key(key_bytes(text))


def key_bytes(text: str) -> bytes:
    """Return one key's 32 random bytes, of URL-safe base64 as `manage.py generate_key` prints it.

    Raise ValueError, with a sentence that fixes it, if it is anything else.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ValueError("Each of TOKEN_ENCRYPTION_KEYS must be a key made by `manage.py generate_key`.")
    return raw


@cache
def _key_ring() -> dict[str, OctKey]:
    """Return the keys by id, newest first; the id is the RFC 7638 thumbprint and tells nothing of the key."""
    return {key.thumbprint(): key for key in map(parse_key, settings.TOKEN_ENCRYPTION_KEYS)}


@cache
def _registry() -> JWERegistry:
    """Return what a JWE of ours may have in its header, and how long it may be."""
    from joserfc.jwe import JWERegistry
    from joserfc.registry import HeaderParameter

    registry = JWERegistry(
        header_registry={"row": HeaderParameter("Row the plaintext belongs to", "str", True)},
        algorithms=["dir", "A256GCM"],
    )
    registry.max_ciphertext_length = MAX_LENGTH
    return registry


def _forget_key_ring(*, setting: str, **_: object) -> None:
    if setting == "TOKEN_ENCRYPTION_KEYS":
        _key_ring.cache_clear()


setting_changed.connect(_forget_key_ring)
