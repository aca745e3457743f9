"""Tokens that are nearly right: what is accepted keeps every rule, and what is refused is refused by name."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import InvalidTokenError
from accounts.cognito.jwks import KeySet
from accounts.cognito.tokens import TokenResponse, VerifiedTokens
from accounts.cognito.verifier import LEEWAY, TokenVerifier
from accounts.conf import user_pool_config
from tests.accounts.support import utc_now
from tests.fake_user_pool import FakeUserPool
from tests.fake_user_pool.signing import SigningKey, sign_raw
from tests.fuzz.support import DEEP, FUZZ, JSON, TEXT, json_bytes

NONCE = "the-nonce-of-this-request"
USES = st.sampled_from(["access_token", "id_token"])
ABSENT = object()
CLAIMS = [
    *("iss", "sub", "aud", "client_id", "token_use", "exp", "iat", "nbf", "nonce", "auth_time", "at_hash", "jti"),
    *("cognito:groups", "cognito:username", "email", "email_verified", "name", "scope", "origin_jti", "event_id"),
]
HEADERS = ["alg", "kid", "typ", "crit", "b64", "jku", "jwk", "x5c", "x5u", "x5t", "zip", "enc", "cty", "p2c", "iv"]
HEADER_VALUES = st.sampled_from(
    [
        *("RS256", "rs256", "RS512", "HS256", "none", "None", "PS256", "ES256", "DEF", "JWT"),
        *(["b64"], ["exp"], [], [["b64"]], True, False, {"kty": "oct", "k": "AA"}, "http://localhost:9/keys"),
    ]
)


class Signer:
    """Signs anything as the user pool would, and verifies it as the app would."""

    def __init__(self, pool: FakeUserPool, config: UserPoolConfig) -> None:
        self.pool = pool
        self.config = config
        self.verifier = TokenVerifier(config, KeySet(config.jwks_url))
        self.now = utc_now()
        person = pool.add_person("user@example.com", name="Uma User", groups=["readers"])
        self.response = pool.sign_in(person, nonce=NONCE)
        self.keys = {"access_token": pool.access_key, "id_token": pool.id_key}
        # Without the hash of the right access token, so that another one can stand beside it.
        claims = self.claims("id_token")
        del claims["at_hash"]
        self.plain_id_token = self.sign("id_token", as_json(self.header("id_token")), as_json(claims))

    def header(self, use: str) -> dict[str, Any]:
        header: dict[str, Any] = json.loads(decoded(self.response[use].split(".")[0]))
        return header

    def claims(self, use: str) -> dict[str, Any]:
        claims: dict[str, Any] = json.loads(decoded(self.response[use].split(".")[1]))
        return claims

    def sign(self, use: str, header: bytes, payload: bytes) -> str:
        return sign_raw(header, payload, self.keys[use])

    def accepts(self, use: str, token: str) -> VerifiedTokens | None:
        """Verify a sign-in in which this token stands for the right one; nothing else may come out than a refusal."""
        response = TokenResponse.parse(self.response | {"id_token": self.plain_id_token, use: token})
        with suppress(InvalidTokenError):
            self.verifier.inspect(token, use=use.removesuffix("_token"), now=self.now)
        try:
            return self.verifier.verify_sign_in(response, nonce=NONCE, now=self.now)
        except InvalidTokenError as error:
            refusal = error
        # What is logged of it is short, whatever the token says.
        assert len(str(refusal)) < 1000
        return None


def as_json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture
def signer(pool: FakeUserPool) -> Signer:
    return Signer(pool, user_pool_config())


# --- Claims


@given(use=USES, claim=st.sampled_from(CLAIMS) | TEXT, value=JSON | st.just(ABSENT))
@example(use="id_token", claim="exp", value=float("nan"))
@example(use="access_token", claim="nbf", value=float("-inf"))
@example(use="access_token", claim="iat", value=-(10**400))
@FUZZ
def test_a_claim_of_any_value_is_accepted_only_if_it_keeps_its_rule(
    signer: Signer, use: str, claim: str, value: object
) -> None:
    right = signer.claims(use)
    claims = {name: each for name, each in right.items() if name != claim}
    if value is not ABSENT:
        claims[claim] = value

    accepted = signer.accepts(use, signer.sign(use, as_json(signer.header(use)), as_json(claims)))

    assert (accepted is not None) == keeps_every_rule(use, claims, right, signer.config, signer.now)


def keeps_every_rule(
    use: str, claims: dict[str, Any], right: dict[str, Any], config: UserPoolConfig, now: datetime
) -> bool:
    """Say by the book, in words of its own, whether a token with these claims is good for this sign-in."""
    audience = {"id_token": "aud", "access_token": "client_id"}[use]
    for name in ("iss", "sub", "token_use", audience, *(["nonce"] if use == "id_token" else [])):
        if type(claims.get(name)) is not str or claims[name] != right[name]:
            return False
    seconds, leeway = now.timestamp(), LEEWAY.total_seconds()
    for name in ("exp", "iat"):
        if not is_time(claims.get(name)):
            return False
    if not (claims["exp"] > seconds - leeway and claims["iat"] <= seconds + leeway):
        return False
    if "nbf" in claims and not (is_number(claims["nbf"]) and claims["nbf"] <= seconds + leeway):
        return False
    if claims.get("auth_time") is not None and not is_time(claims["auth_time"]):
        return False
    if use == "id_token" and claims.get("at_hash") is not None and claims["at_hash"] != right["at_hash"]:
        return False
    groups = claims.get("cognito:groups", [])
    return type(groups) is list and all(type(group) is str for group in groups)


def is_number(value: object) -> bool:
    return type(value) in (int, float)


def is_time(value: Any) -> bool:
    """Say whether a number is a moment that the calendar has: in the years from 1 to 9999."""
    return is_number(value) and -62135596800 <= value < 253402300800


@given(use=USES, payload=json_bytes(JSON | st.dictionaries(st.sampled_from(CLAIMS), JSON)))
@FUZZ
def test_a_payload_of_any_shape_is_refused(signer: Signer, use: str, payload: bytes) -> None:
    token = signer.sign(use, as_json(signer.header(use)), payload)

    assert signer.accepts(use, token) is None


@given(use=USES, claim=st.sampled_from(CLAIMS), value=JSON)
@FUZZ
def test_a_claim_that_occurs_twice_is_refused(signer: Signer, use: str, claim: str, value: object) -> None:
    claims = signer.claims(use) | {claim: value}
    twice = as_json(claims)[:-1] + b"," + as_json({claim: value})[1:]

    assert signer.accepts(use, signer.sign(use, as_json(signer.header(use)), twice)) is None


@given(use=USES, claim=st.sampled_from(CLAIMS), nest=DEEP)
@FUZZ
def test_a_claim_nested_ever_so_deep_is_no_crash(signer: Signer, use: str, claim: str, nest: bytes) -> None:
    right = signer.claims(use)
    claims = {name: value for name, value in right.items() if name != claim}
    payload = as_json(claims)[:-1] + b", " + json.dumps(claim).encode() + b":" + nest + b"}"

    signer.accepts(use, signer.sign(use, as_json(signer.header(use)), payload))


# --- Headers


@given(use=USES, name=st.sampled_from(HEADERS) | TEXT, value=HEADER_VALUES | JSON | st.just(ABSENT))
@FUZZ
def test_a_header_decides_nothing_but_which_known_key(signer: Signer, use: str, name: str, value: object) -> None:
    right = signer.header(use)
    header = {each: text for each, text in right.items() if each != name}
    if value is not ABSENT:
        header[name] = value

    accepted = signer.accepts(use, signer.sign(use, as_json(header), as_json(signer.claims(use))))

    if header.get("alg") != right["alg"] or header.get("kid") != right["kid"]:
        assert accepted is None
    elif name not in {"crit", "b64"}:
        # Keys that a token brings or points to are not looked at (RFC 8725 section 3.5).
        assert accepted is not None
    assert {call.operation for call in signer.pool.calls.of("*")} <= {"jwks"}


@given(use=USES, value=HEADER_VALUES | JSON)
@FUZZ
def test_an_extension_that_must_be_understood_and_is_not_is_refused(signer: Signer, use: str, value: object) -> None:
    header = signer.header(use) | {"crit": ["urn:example:extension"], "urn:example:extension": value}

    assert signer.accepts(use, signer.sign(use, as_json(header), as_json(signer.claims(use)))) is None


@given(use=USES, header=json_bytes(JSON | st.dictionaries(st.sampled_from(HEADERS), HEADER_VALUES | JSON)))
@FUZZ
def test_a_header_of_any_shape_is_refused(signer: Signer, use: str, header: bytes) -> None:
    token = signer.sign(use, header, as_json(signer.claims(use)))

    assert signer.accepts(use, token) is None


# --- Text


@given(token=st.text(max_size=300) | st.text("eyJ.=-_AQ", max_size=300))
@FUZZ
def test_text_that_is_no_token_is_refused(signer: Signer, token: str) -> None:
    for use in ("access_token", "id_token"):
        assert signer.accepts(use, token) is None


@given(
    use=USES,
    position=st.integers(0, 10_000),
    removed=st.integers(0, 3),
    inserted=st.text("ABCabc019-_=.+/ \n\0é\ud800", max_size=3) | st.text(max_size=2),
)
@FUZZ
def test_a_token_with_a_few_characters_changed_is_refused(
    signer: Signer, use: str, position: int, removed: int, inserted: str
) -> None:
    token: str = signer.response[use]
    position %= len(token)
    changed = token[:position] + inserted + token[position + removed :]

    if signer.accepts(use, changed):
        # Base64 has more than one way to spell the same signature; nothing else may differ.
        assert changed.rpartition(".")[0] == token.rpartition(".")[0]
        assert decoded(changed.rpartition(".")[2]) == decoded(token.rpartition(".")[2])


@given(header=st.dictionaries(st.sampled_from(HEADERS), HEADER_VALUES), claim=st.sampled_from(CLAIMS), value=JSON)
@FUZZ
def test_a_token_that_a_stranger_signed_is_refused(
    signer: Signer, header: dict[str, Any], claim: str, value: object
) -> None:
    stranger = SigningKey(-1, signer.keys["id_token"].kid)
    claims = signer.claims("id_token") | {claim: value}
    token = sign_raw(json.dumps(signer.header("id_token") | header).encode(), as_json(claims), stranger)

    assert signer.accepts("id_token", token) is None
