"""Verifying a token and opening a stored token set, beside the bare calls to `cryptography` they cannot do without."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import jwt
from joserfc.util import urlsafe_b64decode

from tests.bench.arms import gatehouse

ROUNDS, CALLS = 300, 20
Comparison = tuple[str, Callable[[], object], Callable[[], object]]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        gatehouse.configure(f"sqlite:///{Path(directory) / 'bench.sqlite3'}")
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        gatehouse.cookie()
        print(f"{'what':<28}{'ours':>12}{'bare':>12}{'ratio':>8}")  # noqa: T201
        for name, ours, bare in comparisons():
            own, raw = side_by_side(ours, bare)
            ratio = median(a / b for a, b in zip(own, raw, strict=True))
            print(f"{name:<28}{median(own):>9.1f} µs{median(raw):>9.1f} µs{ratio:>8.2f}", flush=True)  # noqa: T201


def comparisons() -> Iterator[Comparison]:
    from accounts.models import Session

    row = Session.objects.get(user__isnull=False)
    yield verifying(row.token_set().access_token)
    yield opening(row)


def verifying(token: str) -> Comparison:
    """Compare all rules of an access token with the check of its signature."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from django.utils import timezone

    from accounts.conf import token_verifier

    verifier, now = token_verifier(), timezone.now()
    header, _, signature = token.rpartition(".")
    signed, signature_bytes = header.encode(), urlsafe_b64decode(signature.encode())
    key = verifier.keys.key(jwt.get_unverified_header(token)["kid"], now)
    return (
        "verify an access token",
        lambda: verifier.inspect(token, use="access", now=now),
        lambda: key.verify(signature_bytes, signed, PKCS1v15(), SHA256()),
    )


def opening(row: Any) -> Comparison:
    """Compare reading a session's token set with the decryption of as many bytes."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from django.conf import settings

    parts = [urlsafe_b64decode(part.encode()) for part in row.token_set_sealed.split(".")]
    key = AESGCM(urlsafe_b64decode(settings.TOKEN_ENCRYPTION_KEYS[0].encode()))
    protected, sealed = row.token_set_sealed.partition(".")[0].encode(), parts[3] + parts[4]
    return "open a stored token set", row.token_set, lambda: key.decrypt(parts[2], sealed, protected)


def side_by_side(ours: Callable[[], object], bare: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Have both take turns; return the CPU microseconds of a call, by round."""
    own: list[float] = []
    raw: list[float] = []
    for _ in range(ROUNDS):
        for function, times in ((ours, own), (bare, raw)):
            start = time.process_time()
            for _ in range(CALLS):
                function()
            times.append((time.process_time() - start) / CALLS * 1e6)
    return own, raw


if __name__ == "__main__":
    main()
