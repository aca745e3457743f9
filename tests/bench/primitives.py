"""Verifying a token and opening a stored token set, beside the least code that does the same by hand.

By hand is: split, decode, parse, one call to `cryptography`, parse what comes out. It checks no rule and knows one key.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from joserfc.util import urlsafe_b64decode

from tests.bench.arms import gatehouse

ROUNDS, CALLS = 300, 20
Comparison = tuple[str, Callable[[], object], Callable[[], object]]


def main(rounds: int = ROUNDS) -> None:
    with tempfile.TemporaryDirectory() as directory:
        gatehouse.configure(f"sqlite:///{Path(directory) / 'bench.sqlite3'}")
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        gatehouse.cookie()
        compare(rounds)


def compare(rounds: int) -> None:
    """Print how both fare, for the session of whoever is signed in."""
    print(f"{'what':<28}{'ours':>12}{'by hand':>12}{'ratio':>8}")  # noqa: T201
    for name, ours, bare in comparisons():
        own, raw = side_by_side(ours, bare, rounds)
        ratio = median(a / b for a, b in zip(own, raw, strict=True))
        print(f"{name:<28}{median(own):>9.1f} µs{median(raw):>9.1f} µs{ratio:>8.2f}", flush=True)  # noqa: T201


def comparisons() -> Iterator[Comparison]:
    from django.utils import timezone

    from accounts.conf import token_verifier
    from accounts.models import Session

    row: Session = Session.objects.filter(user__isnull=False).latest("started_at")
    token, verifier, now = row.token_set().access_token, token_verifier(), timezone.now()
    yield "verify an access token", lambda: verifier.inspect(token, use="access", now=now), bare_verification(token)
    yield "open a stored token set", row.token_set, bare_opening(row.token_set_sealed)


def bare_verification(token: str) -> Callable[[], Any]:
    """Return what reads the claims of a token whose signature holds, and checks nothing else."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from django.utils import timezone

    from accounts.conf import token_verifier

    kid = json.loads(urlsafe_b64decode(token.partition(".")[0].encode()))["kid"]
    key = token_verifier().keys.key(kid, timezone.now()).public_key

    def verify() -> Any:
        signed, _, signature = token.encode().rpartition(b".")
        header, _, payload = signed.partition(b".")
        json.loads(urlsafe_b64decode(header))
        key.verify(urlsafe_b64decode(signature), signed, PKCS1v15(), SHA256())
        return json.loads(urlsafe_b64decode(payload))

    return verify


def bare_opening(sealed: str) -> Callable[[], Any]:
    """Return what decrypts and parses a stored token set with the first key, whatever row it belongs to."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from django.conf import settings

    key = AESGCM(urlsafe_b64decode(settings.TOKEN_ENCRYPTION_KEYS[0].encode()))

    def opened() -> Any:
        protected, _, nonce, ciphertext, tag = sealed.encode().split(b".")
        json.loads(urlsafe_b64decode(protected))
        body = urlsafe_b64decode(ciphertext) + urlsafe_b64decode(tag)
        return json.loads(key.decrypt(urlsafe_b64decode(nonce), body, protected))

    return opened


def side_by_side(
    ours: Callable[[], object], bare: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Have both take turns; return the CPU microseconds of a call, by round."""
    own: list[float] = []
    raw: list[float] = []
    for _ in range(rounds):
        for function, times in ((ours, own), (bare, raw)):
            start = time.process_time()
            for _ in range(CALLS):
                function()
            times.append((time.process_time() - start) / CALLS * 1e6)
    return own, raw


if __name__ == "__main__":
    main()
