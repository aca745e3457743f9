"""Finding a secret in a text, also a piece of it, and also if it was quoted, escaped, encoded or compressed."""

from __future__ import annotations

import base64
import binascii
import html
import re
import zlib
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

# No shorter piece of a secret is looked for, and every piece as long as this.
PIECE = 20
JSON_IN_BASE64 = "eyJ"
# How a token begins: `{"` in base64.
JOSE = "eyJ"
# Shorter ones decode to less than a piece.
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{27,}")
HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{40,}")
ESCAPED = re.compile(r"\\(?:u00|x)([0-9A-Fa-f]{2})")


class Scanner:
    """Knows secrets by their kinds. Of a token the header, which says how it is signed or encrypted, is none."""

    def __init__(self, secrets: Mapping[str, set[str]]) -> None:
        self._kinds = {
            secret[start : start + PIECE]: kind
            for kind, known in secrets.items()
            for secret in known
            for start in range(_length_of_header(secret), len(secret) - PIECE + 1)
        }

    def kinds_in(self, text: str) -> set[str]:
        """Return the kinds of the secrets of which a piece stands in `text`."""
        return {
            self._kinds[piece]
            for layer in layers(text)
            for piece in (layer[start : start + PIECE] for start in range(len(layer) - PIECE + 1))
            if piece in self._kinds
        }


def _length_of_header(secret: str) -> int:
    return secret.find(".") if secret.startswith(JSON_IN_BASE64) else 0


def _end_of_header(secret: str) -> int:
    return secret.find(".") if secret.startswith(JOSE) else 0


def layers(text: str) -> Iterator[str]:
    """Yield a text, and what it may stand for."""
    yield text
    unescaped = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text).replace("\\/", "/")
    for changed in (unquote(text), html.unescape(text), unescaped):
        if changed != text:
            yield changed
    yield "\n".join(_decoded(text))


def _decoded(text: str) -> Iterator[str]:
    for run in HEXADECIMAL.findall(text):
        yield bytes.fromhex(run[: len(run) // 2 * 2]).decode("latin-1")
    for run in BASE64.findall(text):
        for start in range(4):
            decoded = _base64(run[start:])
            yield decoded.decode("latin-1")
            try:
                yield zlib.decompress(decoded).decode("latin-1")
            except zlib.error:
                continue


def _base64(text: str) -> bytes:
    standard = text.translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4))
    except binascii.Error:  # one character too many
        return base64.b64decode(standard[: len(standard) // 4 * 4])
