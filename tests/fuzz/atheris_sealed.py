"""Stored ciphertexts, damaged in any way: only SealedDataError and UnknownKeyError come out, and nothing is read."""

from __future__ import annotations

# First: it instruments what the others import.
from tests.fuzz.harness import fuzz  # isort: split

import base64

from accounts.encryption import SealedDataError, UnknownKeyError, is_sealed_with_newest_key, seal, unseal

ROW = "a-row"
PLAINTEXT = b'{"access":"a","id":"i","refresh":"r"}'
SEALED = seal(PLAINTEXT, bound_to=ROW)
HEADER, *REST = SEALED.split(".")


def try_one(data: bytes) -> None:
    """The first byte says what the rest is: a ciphertext, or its protected header."""
    kind, rest = data[:1], data[1:]
    text = rest.decode("utf-8", "replace")
    if kind == b"h":
        text = ".".join([base64.urlsafe_b64encode(rest).rstrip(b"=").decode(), *REST])
    is_sealed_with_newest_key(text)
    try:
        read = unseal(text, bound_to=ROW)
    except (SealedDataError, UnknownKeyError):
        return
    if read != PLAINTEXT:
        raise AssertionError("a ciphertext was read that nobody sealed")


def seeds() -> list[bytes]:
    header = base64.urlsafe_b64decode(HEADER + "=" * (-len(HEADER) % 4))
    other = seal(PLAINTEXT, bound_to="another-row").encode()
    return [
        b"t" + SEALED.encode(),
        b"t" + other,
        b"h" + header,
        b"h" + header.replace(b"A256GCM", b"A128GCM"),
        b"h" + header.replace(b'"dir"', b'"RSA-OAEP"'),
        b"h" + header[:-1] + b',"zip":"DEF","crit":["zip"],"epk":{},"p2c":1e9}',
    ]


if __name__ == "__main__":
    fuzz(try_one, seeds())
