"""Tokens with every defect, at the door and at the refresh: nobody is let in by one, and none is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.utils import timezone

from accounts.models import EndedSession, Session
from tests.accounts.cognito.test_verifier import DEFECTS, Defect
from tests.accounts.support import problem_name
from tests.attacks.support import is_signed_in
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool, Signing
from tests.fake_user_pool.signing import sign_raw
from tests.fake_user_pool.web import json_response

pytestmark = pytest.mark.django_db

HOUR = 3600
Answer = dict[str, Any]


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def raw(pool: FakeUserPool, payload: str) -> str:
    """Return a text as an ID token that the pool has signed."""
    header = json.dumps({"alg": "RS256", "kid": pool.id_key.kid}).encode()
    return sign_raw(header, payload.encode(), pool.id_key)


def with_id_token(change: Callable[[FakeUserPool, dict[str, Any]], str]) -> Callable[[FakeUserPool, Answer], Answer]:
    return lambda pool, answer: answer | {"id_token": raw(pool, change(pool, claims_of(answer["id_token"])))}


def twice(name: str, value: str) -> Callable[[FakeUserPool, Answer], Answer]:
    """Return what puts a claim in once more, before the right one or behind it."""
    return with_id_token(lambda pool, claims: json.dumps(claims)[:-1] + f', "{name}": {json.dumps(value)}}}')


# What Cognito would never send, whole.
ANSWERS: dict[str, Callable[[FakeUserPool, Answer], Answer]] = {
    "the ID token in the access token's place": lambda pool, answer: answer | {"access_token": answer["id_token"]},
    "the access token in the ID token's place": lambda pool, answer: answer | {"id_token": answer["access_token"]},
    "both in each other's place": lambda pool, answer: (
        answer | {"id_token": answer["access_token"], "access_token": answer["id_token"]}
    ),
    "sub twice": twice("sub", "somebody-else"),
    "aud twice": twice("aud", "another-client"),
    "nested ever so deep": with_id_token(lambda pool, claims: json.dumps(claims)[:-1] + ', "x": ' + "[" * 9000),
    "a payload that is no object": with_id_token(lambda pool, claims: "[]"),
    "as long as a book": with_id_token(lambda pool, claims: json.dumps(claims | {"x": "x" * 100_000})),
    "a signature cut off": lambda pool, answer: answer | {"id_token": answer["id_token"].rpartition(".")[0] + "."},
    "no token at all": lambda pool, answer: answer | {"id_token": ""},
    "an unsigned token": lambda pool, answer: (
        answer | {"id_token": "eyJhbGciOiJub25lIn0." + answer["id_token"].split(".")[1] + "."}
    ),
}
TIMES = {
    "expired": ("exp", -HOUR),
    "issued tomorrow": ("iat", 24 * HOUR),
    "not valid before tomorrow": ("nbf", 24 * HOUR),
}
TOKENS = ("id_token", "access_token")


def try_to_sign_in(visitor: Browser) -> None:
    response = visitor.sign_in()

    # 500 where it is for an operator to set a clock right.
    assert response.status_code in {400, 500, 503}
    assert problem_name(response) in {"token_refused", "clock", "misconfigured", "unavailable"}
    assert not is_signed_in(visitor)
    assert not Session.objects.exists()
    assert all(sign_in.revoked for sign_in in visitor.pool.sign_ins.values()) or not visitor.pool.refresh_tokens


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_wrong_claim_signs_nobody_in(visitor: Browser, pool: FakeUserPool, defect: Defect) -> None:
    pool.tamper(defect.token, defect.apply)

    try_to_sign_in(visitor)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("signing", [each for each in Signing if each is not Signing.RIGHT], ids=lambda each: each.name)
def test_a_wrong_signature_signs_nobody_in(visitor: Browser, pool: FakeUserPool, signing: Signing, token: Any) -> None:
    pool.tamper(token, signing=signing)

    try_to_sign_in(visitor)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("when", TIMES)
def test_a_token_of_another_time_signs_nobody_in(visitor: Browser, pool: FakeUserPool, when: str, token: Any) -> None:
    claim, seconds = TIMES[when]
    pool.tamper(token, lambda claims: claims | {claim: int(pool.now()) + seconds})

    try_to_sign_in(visitor)


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_cognito_would_not_give_signs_nobody_in(visitor: Browser, pool: FakeUserPool, what: str) -> None:
    pool.tamper("token_response", lambda answer: ANSWERS[what](pool, answer))

    try_to_sign_in(visitor)


def test_a_key_that_was_withdrawn_signs_nobody_in(visitor: Browser, user: Browser, pool: FakeUserPool) -> None:
    """A `kid` that was good once: whoever stole that key has no use for it."""
    stolen = pool.id_key
    pool.rotate_keys(keep_old=False)
    user.get("/logout/")
    pool.tamper(
        "token_response",
        lambda answer: (
            answer
            | {
                "id_token": sign_raw(
                    json.dumps({"alg": "RS256", "kid": pool.id_key.kid}).encode(),
                    json.dumps(claims_of(answer["id_token"])).encode(),
                    stolen,
                )
            }
        ),
    )

    assert visitor.sign_in().status_code in {400, 503}
    assert not is_signed_in(visitor)


# --- At the refresh


def refresh(user: Browser) -> None:
    Session.objects.update(refresh_due_at=timezone.now())
    user.get("/sessions/")


def assert_nothing_was_kept(before: Session) -> None:
    """The session has ended, or has the tokens that it had."""
    now = Session.objects.filter(pk=before.pk).first()
    if now is None:
        assert EndedSession.objects.filter(pk=before.public_id).exists()
        return
    assert now.token_set().access_token == before.token_set().access_token
    assert now.token_set().id_token == before.token_set().id_token


# After a refresh the nonce is optional (OpenID Connect Core section 12.2).
@pytest.mark.parametrize("defect", [defect for defect in DEFECTS if defect.claim != "nonce"], ids=str)
def test_a_wrong_claim_is_not_kept(user: Browser, pool: FakeUserPool, defect: Defect) -> None:
    before = user.row
    pool.tamper(defect.token, defect.apply)

    refresh(user)

    assert_nothing_was_kept(before)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("signing", [each for each in Signing if each is not Signing.RIGHT], ids=lambda each: each.name)
def test_a_wrong_signature_is_not_kept(user: Browser, pool: FakeUserPool, signing: Signing, token: Any) -> None:
    before = user.row
    pool.tamper(token, signing=signing)

    refresh(user)

    assert_nothing_was_kept(before)


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_cognito_would_not_give_is_not_kept(user: Browser, pool: FakeUserPool, what: str) -> None:
    before = user.row
    pool.tamper("token_response", lambda answer: ANSWERS[what](pool, answer))

    refresh(user)

    assert_nothing_was_kept(before)


def test_a_probe_that_speaks_of_somebody_else_shows_nothing_of_them(
    user: Browser, outsider: Browser, pool: FakeUserPool
) -> None:
    attributes = [{"Name": name, "Value": value} for name, value in outsider.person.user_attributes.items()]
    answer = {"Username": outsider.person.username, "UserAttributes": attributes}
    pool.fail("GetUser", json_response(answer, media_type="application/x-amz-json-1.1"))
    Session.objects.update(probe_due_at=timezone.now())

    pages = [user.get(path).content.decode() for path in ("/", "/profile/", "/sessions/")]

    assert not [page for page in pages if outsider.person.email in page or outsider.person.sub in page]
