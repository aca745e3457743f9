"""Rows of pending authorization requests with any ciphertext in them: only StateMismatchError comes out."""

from __future__ import annotations

# First: it instruments what the others import.
from tests.fuzz.harness import fuzz  # isort: split

from contextlib import suppress

from accounts.cognito.errors import StateMismatchError
from accounts.encryption import seal
from accounts.models import AuthorizationRequest
from accounts.models.authorization import PendingSignIn, digest

ROW = AuthorizationRequest(state_digest=digest("state"), browser_digest=digest("browser"))
PENDING = PendingSignIn(nonce="nonce", code_verifier="v" * 43, next_url="/sessions/")


def try_one(data: bytes) -> None:
    """The first byte says what the rest is: a ciphertext, or what an older version or another may have sealed."""
    kind, rest = data[:1], data[1:]
    ROW.sealed = seal(rest, bound_to=ROW.pk) if kind == b"s" else rest.decode("utf-8", "replace")
    with suppress(StateMismatchError):
        pending = ROW.open()
        for text in (pending.nonce, pending.code_verifier, pending.next_url):
            if not isinstance(text, str):
                raise AssertionError("something was read that is no text")


def seeds() -> list[bytes]:
    return [
        b"t" + ROW.closed(PENDING).encode(),
        b"s" + PENDING.to_json(),
        b's["a", "b"]',
        b's{"a": 1, "b": 2, "c": 3}',
        b"s[1, null, []]",
        b"s" + b"[" * 2000,
        b"s\xff",
    ]


if __name__ == "__main__":
    fuzz(try_one, seeds())
