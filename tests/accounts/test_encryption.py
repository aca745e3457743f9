from __future__ import annotations

import base64
import json
import random
import string

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey
from pytest_django import Settings

from accounts.encryption import SealedDataError, UnknownKeyError, is_sealed_with_newest_key, parse_key, seal, unseal

KEYS = [base64.urlsafe_b64encode(bytes([number]) * 32).decode().rstrip("=") for number in range(3)]
TEXT = b"what must not be read"


@pytest.fixture(autouse=True)
def key_ring(settings: Settings) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = [KEYS[0]]


def test_what_was_sealed_is_read_back() -> None:
    assert unseal(seal(TEXT, bound_to="row"), bound_to="row") == TEXT


@pytest.mark.parametrize("plaintext", [b"", b"\x00" * 10, bytes(range(256)), b"x" * 40_000])
def test_any_bytes_can_be_sealed(plaintext: bytes) -> None:
    assert unseal(seal(plaintext, bound_to="row"), bound_to="row") == plaintext


def test_the_ciphertext_says_nothing_of_the_plaintext() -> None:
    first, second = seal(TEXT, bound_to="row"), seal(TEXT, bound_to="row")

    assert first != second
    assert TEXT not in first.encode()
    assert base64.urlsafe_b64encode(TEXT).rstrip(b"=") not in first.encode()


def test_the_header_names_the_key_by_its_thumbprint_and_the_row() -> None:
    header = header_of(seal(TEXT, bound_to="row"))

    assert header == {"alg": "dir", "enc": "A256GCM", "kid": parse_key(KEYS[0]).thumbprint(), "row": "row"}
    assert KEYS[0] not in json.dumps(header)


@pytest.mark.parametrize("other", ["row-2", "", "ROW", "row\x00", " row"])
def test_a_ciphertext_moved_to_another_row_is_refused(other: str) -> None:
    sealed = seal(TEXT, bound_to="row")

    with pytest.raises(SealedDataError):
        unseal(sealed, bound_to=other)


def test_the_row_in_the_header_cannot_be_rewritten() -> None:
    sealed = seal(TEXT, bound_to="row")
    moved = with_header(sealed, header_of(sealed) | {"row": "row-2"})

    for row in ("row", "row-2"):
        with pytest.raises(SealedDataError):
            unseal(moved, bound_to=row)


# --- The key ring


def test_an_older_key_still_decrypts(settings: Settings) -> None:
    sealed = seal(TEXT, bound_to="row")

    settings.TOKEN_ENCRYPTION_KEYS = [KEYS[1], KEYS[0]]

    assert unseal(sealed, bound_to="row") == TEXT


def test_the_first_key_encrypts(settings: Settings) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = [KEYS[1], KEYS[0]]

    assert header_of(seal(TEXT, bound_to="row"))["kid"] == parse_key(KEYS[1]).thumbprint()


def test_a_key_that_left_the_ring_decrypts_no_more(settings: Settings) -> None:
    sealed = seal(TEXT, bound_to="row")

    settings.TOKEN_ENCRYPTION_KEYS = [KEYS[1], KEYS[2]]

    with pytest.raises(UnknownKeyError, match="TOKEN_ENCRYPTION_KEYS"):
        unseal(sealed, bound_to="row")


# --- Damage


def test_no_character_of_a_ciphertext_can_be_changed() -> None:
    sealed = seal(TEXT, bound_to="row")

    for position, character in enumerate(sealed):
        other = "B" if character == "A" else "A"
        damaged = sealed[:position] + other + sealed[position + 1 :]
        try:
            read = unseal(damaged, bound_to="row")
        except (SealedDataError, UnknownKeyError):
            continue
        # Base64 has a few bits to spare at the end of each part.
        assert read == TEXT
        assert decoded(damaged) == decoded(sealed)


def test_a_ciphertext_cut_short_is_refused() -> None:
    sealed = seal(TEXT, bound_to="row")

    for length in range(len(sealed)):
        with pytest.raises(SealedDataError):
            unseal(sealed[:length], bound_to="row")


JUNK = [
    "",
    ".",
    "....",
    "a.b.c.d.e",
    "null",
    "\x00",
    "é.é.é.é.é",
    "{}",
    "e30....",
    "e30.e30.e30.e30.e30",
    "W10....",
    "NQ....",
]


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_refused(junk: str) -> None:
    with pytest.raises(SealedDataError):
        unseal(junk, bound_to="row")


def test_random_junk_is_refused_and_nothing_worse() -> None:
    chance = random.Random(7)
    alphabet = string.ascii_letters + string.digits + "-_....=é\x00 "

    for _ in range(500):
        junk = "".join(chance.choices(alphabet, k=chance.randrange(120)))
        with pytest.raises(SealedDataError):
            unseal(junk, bound_to="row")


@pytest.mark.parametrize(
    "header",
    [
        None,
        7,
        "text",
        [],
        ["kid"],
        {},
        {"kid": None},
        {"kid": ["a"]},
        {"kid": {"a": 1}},
        {"alg": None},
        {"alg": ["dir"]},
        {"alg": {"dir": 1}},
        {"alg": "none"},
        {"alg": "RSA-OAEP"},
        {"alg": "A256KW"},
        {"enc": "A128CBC-HS256"},
        {"enc": None},
        {"enc": {}},
        {"zip": "DEF"},
        {"crit": ["row"]},
        {"row": 7},
        {"row": None},
        {"b64": False},
    ],
    ids=str,
)
def test_a_strange_header_is_refused(header: object) -> None:
    sealed = seal(TEXT, bound_to="row")
    strange = header_of(sealed) | header if isinstance(header, dict) and header else header

    with pytest.raises(SealedDataError):
        unseal(with_header(sealed, strange), bound_to="row")


def test_what_the_right_key_made_for_no_row_is_refused() -> None:
    key = parse_key(KEYS[0])
    unbound = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM", "kid": key.thumbprint()}, TEXT, key)

    with pytest.raises(SealedDataError):
        unseal(unbound, bound_to="row")


def test_what_another_key_made_under_a_known_name_is_refused() -> None:
    forged = jwe.encrypt_compact(
        {"alg": "dir", "enc": "A256GCM", "kid": parse_key(KEYS[0]).thumbprint()}, TEXT, OctKey.generate_key(256)
    )

    with pytest.raises(SealedDataError):
        unseal(forged, bound_to="row")


def test_an_error_tells_neither_ciphertext_nor_key() -> None:
    sealed = seal(TEXT, bound_to="row")

    with pytest.raises(SealedDataError) as error:
        unseal(sealed, bound_to="another")

    said = f"{error.value!r} {error.value.__cause__!r}"
    assert not {part for part in sealed.split(".") if len(part) > 10 and part in said}
    assert KEYS[0] not in said


# --- Keys


@pytest.mark.parametrize(
    "text", ["", "short", "x" * 43 + "!", "ä" * 43, KEYS[0] + "AA", KEYS[0][:-2], " " + KEYS[0], "\x00"]
)
def test_what_is_no_key_is_refused_with_a_sentence_that_fixes_it(text: str) -> None:
    with pytest.raises(ValueError, match="generate_key"):
        parse_key(text)


def test_a_key_may_have_its_padding() -> None:
    assert parse_key(KEYS[0] + "=").thumbprint() == parse_key(KEYS[0]).thumbprint()


# --- Helpers


def header_of(sealed: str) -> dict[str, object]:
    header: dict[str, object] = json.loads(base64.urlsafe_b64decode(sealed.split(".")[0] + "=="))
    return header


def with_header(sealed: str, header: object) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{encoded}.{sealed.partition('.')[2]}"


def decoded(sealed: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "==") for part in sealed.split(".")]


def test_a_header_nested_without_end_is_damage() -> None:
    header = base64.urlsafe_b64encode(b"[" * 50_000).decode().rstrip("=")
    sealed = ".".join([header, *seal(TEXT, bound_to="row").split(".")[1:]])

    assert not is_sealed_with_newest_key(sealed)
    with pytest.raises(SealedDataError):
        unseal(sealed, bound_to="row")
