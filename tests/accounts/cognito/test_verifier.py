"""Each verification rule broken alone, in tokens that are otherwise right and rightly signed."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import jwt
import pytest

from accounts.cognito.errors import InvalidTokenError, ProviderUnavailableError, TokenClockError
from accounts.cognito.tokens import TokenResponse, VerifiedTokens
from accounts.cognito.verifier import LEEWAY, MAX_TOKEN_LENGTH, TokenVerifier, access_token_hash
from tests.accounts.support import token_response, utc_now
from tests.fake_user_pool import FakeUserPool, Person, Signing

NONCE = "the-nonce-of-this-request"
Use = Literal["id", "access"]


@dataclass(frozen=True)
class Defect:
    """One claim that is wrong, in one of the two tokens, and the rule that this breaks."""

    token: Literal["id_token", "access_token"]
    claim: str
    value: object
    rule: str = ""

    def apply(self, claims: dict[str, Any]) -> dict[str, Any]:
        left = {name: value for name, value in claims.items() if name != self.claim}
        return left if self.value is ABSENT else left | {self.claim: self.value}

    def __str__(self) -> str:
        value = "absent" if self.value is ABSENT else str(self.value)[:24]
        return f"{self.token}-{self.claim}-{value}"


ABSENT = object()
WRONG: dict[str, list[object]] = {
    "iss": ["https://elsewhere.example.com", ABSENT, 7, ""],
    "sub": [ABSENT, 7, "", None, ["a"]],
    "exp": [ABSENT, "2999-01-01", True, None, [1], {}, 10**400],
    "iat": [ABSENT, "0", False, None, -(10**20)],
    "auth_time": ["yesterday", True],
    "nbf": ["tomorrow", True, None],
    "cognito:groups": ["admins", [1], None, {"admins": 1}, [["admins"]]],
    "token_use": [ABSENT, "", "ID", None, "refresh"],
}
COMMON = [(claim, value) for claim, values in WRONG.items() for value in values]
DEFECTS = [
    *(Defect("id_token", claim, value) for claim, value in COMMON),
    *(Defect("access_token", claim, value) for claim, value in COMMON),
    *(Defect("id_token", "aud", value) for value in ["another-client", ABSENT, None, 7, ""]),
    *(Defect("access_token", "client_id", value) for value in ["another-client", ABSENT, None, 7, ""]),
    *(Defect("id_token", "nonce", value) for value in ["another", ABSENT, None, 7, "", NONCE.upper()]),
    *(Defect("id_token", "at_hash", value) for value in ["x" * 22, 7, "", ["x"]]),
    Defect("id_token", "token_use", "access"),
    Defect("access_token", "token_use", "id"),
]


def test_the_tokens_of_a_sign_in_are_verified(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    response = token_response(pool, person, nonce=NONCE)

    tokens = verifier.verify_sign_in(response, nonce=NONCE, now=utc_now())

    assert tokens.id_claims.subject == tokens.access_claims.subject == person.sub
    assert tokens.id_claims.groups == ("readers",)
    assert tokens.token_set.refresh_token == response.refresh_token


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_broken_claim_is_refused_by_its_own_rule(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, defect: Defect
) -> None:
    pool.tamper(defect.token, defect.apply)

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert refusal.claim == (defect.rule or defect.claim)


def test_an_audience_list_that_contains_us_is_not_a_token_for_us_alone(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    pool.tamper("id_token", lambda claims: claims | {"aud": [pool.client_id]})

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert refusal.claim == "aud"


def test_the_issuer_is_compared_to_the_letter(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    pool.tamper("id_token", lambda claims: claims | {"iss": claims["iss"] + "/"})

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert refusal.claim == "iss"


def test_an_access_token_with_aud_and_no_client_id_is_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    pool.tamper("access_token", lambda claims: claims | {"aud": claims.pop("client_id")})

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert refusal.claim == "client_id"


def test_a_resource_bound_access_token_is_accepted(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    pool.tamper("access_token", lambda claims: claims | {"aud": "https://api.example.com"})

    tokens = sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert tokens.access_claims.raw["aud"] == "https://api.example.com"


# --- Signatures


@pytest.mark.parametrize("what", ["id_token", "access_token"])
@pytest.mark.parametrize(
    ("signing", "rule"),
    [
        (Signing.NONE, "alg"),
        (Signing.HS256_WITH_PUBLIC_KEY, "alg"),
        (Signing.UNKNOWN_KID, "kid"),
        (Signing.NO_KID, "kid"),
        (Signing.STRANGER_KEY, "signature"),
    ],
)
def test_a_wrong_signature_is_refused(
    verifier: TokenVerifier,
    pool: FakeUserPool,
    person: Person,
    what: Literal["id_token", "access_token"],
    signing: Signing,
    rule: str,
) -> None:
    pool.tamper(what, signing=signing)

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert refusal.claim == rule


def test_the_signature_of_one_token_does_not_fit_another(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    mine, other = (token_response(pool, person, nonce=NONCE) for _ in range(2))
    body, signature = mine.id_token.rpartition(".")[0], other.id_token.rpartition(".")[2]

    refusal = refused_sign_in(verifier, replace(mine, id_token=f"{body}.{signature}"))

    assert refusal.claim == "signature"


def test_a_token_without_its_signature_is_refused(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    response = token_response(pool, person, nonce=NONCE)

    refusal = refused_sign_in(verifier, replace(response, id_token=response.id_token.rpartition(".")[0] + "."))

    assert refusal.claim == "signature"


@pytest.mark.parametrize("kid", [7, None, ["a"], {"a": 1}, "", "../../etc/passwd", "x" * 5000, "\x00"])
def test_a_strange_kid_is_refused(verifier: TokenVerifier, pool: FakeUserPool, person: Person, kid: object) -> None:
    response = token_response(pool, person, nonce=NONCE)
    strange = with_header(response.id_token, {"alg": "RS256", "kid": kid})

    refusal = refused_sign_in(verifier, replace(response, id_token=strange))

    assert refusal.claim in {"kid", "format"}


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "ES256", "rs256", "None", "", 7, None, ["RS256"]])
def test_only_rs256_will_do(verifier: TokenVerifier, pool: FakeUserPool, person: Person, algorithm: object) -> None:
    response = token_response(pool, person, nonce=NONCE)
    header = {"alg": algorithm, "kid": pool.id_key.kid}

    refusal = refused_sign_in(verifier, replace(response, id_token=with_header(response.id_token, header)))

    assert refusal.claim in {"alg", "format"}


@pytest.mark.parametrize("extension", [{"crit": ["exp"], "exp": 1}, {"b64": False, "crit": ["b64"]}])
def test_a_critical_extension_nobody_understands_is_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, extension: dict[str, Any]
) -> None:
    response = token_response(pool, person, nonce=NONCE)
    token = signed(pool, payload_of(response.id_token), **extension)

    refusal = refused_sign_in(verifier, replace(response, id_token=token))

    assert refusal.claim == "crit"


def test_a_key_in_the_header_is_not_looked_at(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    response = token_response(pool, person, nonce=NONCE)
    token = signed(pool, payload_of(response.id_token), key_number=-1, jwk=pool.id_key.jwk, jku="https://evil.example")

    refusal = refused_sign_in(verifier, replace(response, id_token=token))

    assert refusal.claim == "signature"


def test_without_the_signing_keys_nothing_is_decided(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    response = token_response(pool, person, nonce=NONCE)

    with pool.down(), pytest.raises(ProviderUnavailableError):
        verifier.verify_sign_in(response, nonce=NONCE, now=utc_now())


# --- Clocks


@pytest.mark.parametrize("use", ["id_token", "access_token"])
@pytest.mark.parametrize(
    ("claim", "offset"),
    [
        ("exp", -LEEWAY + timedelta(seconds=1)),
        ("iat", LEEWAY),
        ("nbf", LEEWAY),
        ("nbf", -timedelta(days=1)),
    ],
)
def test_a_clock_within_the_leeway_is_forgiven(
    verifier: TokenVerifier,
    pool: FakeUserPool,
    person: Person,
    use: Literal["id_token", "access_token"],
    claim: str,
    offset: timedelta,
) -> None:
    now = utc_now().replace(microsecond=0)
    pool.tamper(use, lambda claims: claims | {claim: (now + offset).timestamp()})

    tokens = sign_in(verifier, token_response(pool, person, nonce=NONCE), now=now)

    assert tokens.id_claims.subject == person.sub


@pytest.mark.parametrize("use", ["id_token", "access_token"])
@pytest.mark.parametrize(
    ("claim", "offset"),
    [
        ("exp", -LEEWAY),
        ("exp", -timedelta(days=1)),
        ("iat", LEEWAY + timedelta(seconds=1)),
        ("nbf", LEEWAY + timedelta(seconds=1)),
    ],
)
def test_a_clock_beyond_the_leeway_is_a_clock_error(
    verifier: TokenVerifier,
    pool: FakeUserPool,
    person: Person,
    use: Literal["id_token", "access_token"],
    claim: str,
    offset: timedelta,
) -> None:
    now = utc_now().replace(microsecond=0)
    pool.tamper(use, lambda claims: claims | {claim: (now + offset).timestamp()})

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE), now=now)

    assert refusal.claim == claim
    assert isinstance(refusal, TokenClockError)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "9" * 5000])
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_a_time_that_is_no_time_is_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, claim: str, number: str
) -> None:
    response = token_response(pool, person, nonce=NONCE)
    members = json.loads(payload_of(response.id_token)) | {claim: "@"}
    token = signed(pool, json.dumps(members).replace('"@"', number).encode())

    refusal = refused_sign_in(verifier, replace(response, id_token=token))

    assert refusal.claim in {claim, "payload"}


# --- The three tokens together


def test_an_id_token_is_no_access_token(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    response = token_response(pool, person, nonce=NONCE)
    without_hash = signed(pool, edited(response.id_token, {"at_hash": None}))

    refusal = refused_sign_in(verifier, replace(response, id_token=without_hash, access_token=response.id_token))

    assert refusal.claim == "token_use"


def test_an_access_token_is_no_id_token(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    response = token_response(pool, person, nonce=NONCE)

    refusal = refused_sign_in(verifier, replace(response, id_token=response.access_token))

    assert refusal.claim == "token_use"


def test_the_access_token_of_another_person_is_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    pool.tamper("access_token", lambda claims: claims | {"sub": "somebody-else"})

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert refusal.claim == "sub"


def test_an_access_token_that_was_swapped_does_not_fit_at_hash(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    mine, other = (token_response(pool, person, nonce=NONCE) for _ in range(2))

    refusal = refused_sign_in(verifier, replace(mine, access_token=other.access_token))

    assert refusal.claim == "at_hash"


def test_at_hash_may_be_absent(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    pool.tamper("id_token", lambda claims: {name: value for name, value in claims.items() if name != "at_hash"})

    tokens = sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert "at_hash" not in tokens.id_claims.raw


def test_the_hash_of_the_specification_is_reproduced() -> None:
    # OpenID Connect Core, appendix A.3.
    assert access_token_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"


def test_a_sign_in_without_a_refresh_token_is_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    response = replace(token_response(pool, person, nonce=NONCE), refresh_token=None)

    refusal = refused_sign_in(verifier, response)

    assert refusal.claim == "refresh_token"


def test_absent_groups_are_no_groups(verifier: TokenVerifier, pool: FakeUserPool) -> None:
    loner = pool.add_person("loner@example.com")

    tokens = sign_in(verifier, token_response(pool, loner, nonce=NONCE))

    assert tokens.id_claims.groups == ()


# --- After a refresh


def test_after_a_refresh_no_nonce_is_needed_and_the_old_refresh_token_stays(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    before = sign_in(verifier, token_response(pool, person, nonce=NONCE)).token_set

    response = TokenResponse.parse(pool.refresh(before.refresh_token))
    tokens = verifier.verify_refresh(response, before=before, subject=person.sub, now=utc_now())

    assert response.refresh_token is None
    assert tokens.token_set.refresh_token == before.refresh_token
    assert tokens.token_set.access_token == response.access_token


def test_a_rotated_refresh_token_replaces_the_old_one(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    before = sign_in(verifier, token_response(pool, person, nonce=NONCE)).token_set
    pool.rotation = True

    response = TokenResponse.parse(pool.refresh(before.refresh_token))
    tokens = verifier.verify_refresh(response, before=before, subject=person.sub, now=utc_now())

    assert tokens.token_set.refresh_token == response.refresh_token != before.refresh_token


def test_refreshed_tokens_of_somebody_else_are_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    before = sign_in(verifier, token_response(pool, person, nonce=NONCE)).token_set
    other = token_response(pool, pool.add_person("other@example.com"))

    with pytest.raises(InvalidTokenError) as refusal:
        verifier.verify_refresh(other, before=before, subject=person.sub, now=utc_now())

    assert refusal.value.claim == "sub"


# --- Malformed tokens


@pytest.mark.parametrize("slot", ["id_token", "access_token"])
@pytest.mark.parametrize(
    "junk",
    ["", ".", "..", "...", "a.b.c", "null", "e30.e30.e30", "é.é.é", "\x00", "eyJhbGciOiJSUzI1NiJ9..", "=.=.="],
)
def test_what_is_not_a_jwt_is_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, slot: str, junk: str
) -> None:
    response = token_response(pool, person, nonce=NONCE)

    refused_sign_in(verifier, replace(response, **{slot: junk}))


def test_an_access_token_that_cannot_be_encoded_is_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person
) -> None:
    response = token_response(pool, person, nonce=NONCE)

    refused_sign_in(verifier, replace(response, access_token="\ud800"))


def test_a_nonce_that_cannot_be_encoded_is_refused(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    pool.tamper("id_token", lambda claims: claims | {"nonce": "\ud800"})

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert refusal.claim == "nonce"


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"7", b'"text"', b"{", b'{"iss": }', b"\xff\xfe", b'{"a":' + b"[" * 9000]
)
def test_a_signed_payload_that_is_no_json_object_is_refused(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, payload: bytes
) -> None:
    response = token_response(pool, person, nonce=NONCE)

    refusal = refused_sign_in(verifier, replace(response, id_token=signed(pool, payload)))

    assert refusal.claim == "payload"


def test_a_deeply_nested_header_is_refused(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    response = token_response(pool, person, nonce=NONCE)
    nested = with_header(response.id_token, b'{"alg":"RS256","kid":' + b"[" * 9000)

    refusal = refused_sign_in(verifier, replace(response, id_token=nested))

    assert refusal.claim == "format"


def test_a_claim_that_occurs_twice_is_refused(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    response = token_response(pool, person, nonce=NONCE)
    twice = payload_of(response.id_token).replace(b'{"sub":', b'{"sub": "admin", "sub":', 1)

    refusal = refused_sign_in(verifier, replace(response, id_token=signed(pool, twice)))

    assert refusal.claim == "payload"


def test_an_overlong_token_is_refused_unread(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    pool.tamper("access_token", lambda claims: claims | {"custom:story": "x" * MAX_TOKEN_LENGTH})

    refusal = refused_sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert refusal.claim == "length"
    assert pool.calls.count("jwks") == 0


def test_a_big_token_within_the_limit_is_accepted(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    person.groups = [f"group-{number:03}-{'x' * 60}" for number in range(100)]

    tokens = sign_in(verifier, token_response(pool, person, nonce=NONCE))

    assert len(tokens.token_set.id_token) > 8 * 1024
    assert len(tokens.id_claims.groups) == 100


# --- What errors tell


def test_an_error_never_contains_token_text(verifier: TokenVerifier, pool: FakeUserPool, person: Person) -> None:
    for defect in DEFECTS:
        pool.tamper(defect.token, defect.apply)
        response = token_response(pool, person, nonce=NONCE)

        refusal = refused_sign_in(verifier, response)

        assert not token_text(response) & words(refusal)


@pytest.mark.parametrize("signing", [each for each in Signing if each is not Signing.RIGHT])
def test_a_signature_error_never_contains_token_text(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, signing: Signing
) -> None:
    pool.tamper("access_token", signing=signing)
    response = token_response(pool, person, nonce=NONCE)

    refusal = refused_sign_in(verifier, response)

    assert not token_text(response) & words(refusal)


# --- Inspection


@pytest.mark.parametrize(("use", "audience"), [("id", "aud"), ("access", "client_id")])
def test_inspection_gives_every_rule_its_verdict(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, use: Use, audience: str
) -> None:
    token = pool.mint(person, use)

    inspection = verifier.inspect(token, use=use, now=utc_now())

    assert [rule.claim for rule in inspection.rules] == ["iss", "token_use", audience, "exp", "iat"]
    assert all(rule.holds for rule in inspection.rules)
    assert inspection.claims.subject == person.sub


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"iss": "https://elsewhere.example.com"}, {"iss"}),
        ({"token_use": "id"}, {"token_use"}),
        ({"client_id": "another"}, {"client_id"}),
        ({"exp": 1}, {"exp"}),
        ({"iat": 32503680000}, {"iat"}),
        ({"nbf": 32503680000}, {"nbf"}),
        ({"exp": 1, "client_id": "another"}, {"exp", "client_id"}),
    ],
)
def test_inspection_finds_each_broken_rule_and_no_other(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, change: dict[str, Any], broken: set[str]
) -> None:
    token = pool.mint(person, "access", lambda claims: claims | change)

    inspection = verifier.inspect(token, use="access", now=utc_now())

    assert {rule.claim for rule in inspection.rules if not rule.holds} == broken


@pytest.mark.parametrize("signing", [each for each in Signing if each is not Signing.RIGHT])
def test_inspection_shows_no_claim_of_a_token_whose_signature_does_not_hold(
    verifier: TokenVerifier, pool: FakeUserPool, person: Person, signing: Signing
) -> None:
    token = pool.mint(person, signing=signing)

    with pytest.raises(InvalidTokenError):
        verifier.inspect(token, use="access", now=utc_now())


# --- Helpers


def sign_in(verifier: TokenVerifier, response: TokenResponse, now: datetime | None = None) -> VerifiedTokens:
    return verifier.verify_sign_in(response, nonce=NONCE, now=now or utc_now())


def refused_sign_in(verifier: TokenVerifier, response: TokenResponse, now: datetime | None = None) -> InvalidTokenError:
    with pytest.raises(InvalidTokenError) as refusal:
        sign_in(verifier, response, now)
    return refusal.value


def signed(pool: FakeUserPool, payload: bytes, *, key_number: int = 1, **header: Any) -> str:
    """Return a token with exactly this payload, signed with the pool's ID-token key under its name."""
    key = replace(pool.id_key, number=key_number).private
    headers = {"kid": pool.id_key.kid} | header
    signing_input = f"{b64(json.dumps({'alg': 'RS256'} | headers).encode())}.{b64(payload)}"
    signature = jwt.get_algorithm_by_name("RS256").sign(signing_input.encode(), key)
    return f"{signing_input}.{b64(signature)}"


def edited(token: str, changes: dict[str, Any]) -> bytes:
    """Return a token's payload with members changed, or left out if None."""
    members = json.loads(payload_of(token)) | changes
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def with_header(token: str, header: dict[str, Any] | bytes) -> str:
    """Return the token with another header; its signature no longer fits."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return f"{b64(encoded)}.{token.partition('.')[2]}"


def payload_of(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.split(".")[1] + "==")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_text(response: TokenResponse) -> set[str]:
    """Return the parts of all three tokens that are long enough to mean something."""
    tokens = (response.access_token, response.id_token, response.refresh_token or "")
    return {part for token in tokens for part in token.split(".")[1:] if len(part) > 20}


def words(error: BaseException | None) -> set[str]:
    """Return everything an error and its causes say, cut where a token's parts end."""
    said: list[str] = []
    while error is not None:
        said += [str(error), repr(error), *(str(value) for value in vars(error).values())]
        error = error.__cause__ or error.__context__
    return {word for text in said for word in re.findall(r"[\w-]+", text)}
