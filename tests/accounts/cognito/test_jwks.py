from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import to_base64url_uint

from accounts.cognito import jwks
from accounts.cognito.errors import InvalidTokenError, ProviderUnavailableError
from accounts.cognito.jwks import COOLDOWN, MAX_AGE, KeySet
from tests.accounts.support import Background, utc_now
from tests.fake_user_pool import Failure, FakeUserPool
from tests.fake_user_pool.web import Response, json_response

SECOND = timedelta(seconds=1)


@pytest.fixture
def keys(pool: FakeUserPool) -> KeySet:
    return KeySet(pool.jwks_url)


@pytest.fixture
def now() -> datetime:
    return utc_now()


def test_both_keys_come_with_one_fetch(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    for kid in (pool.access_key.kid, pool.id_key.kid, pool.access_key.kid):
        keys.key(kid, now)

    assert pool.calls.count("jwks") == 1
    assert keys.fetched_at == now


def test_a_key_verifies_what_its_owner_signed(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    token = pool.mint(pool.add_person("user@example.com"))

    claims = jwt.decode(token, keys.key(pool.access_key.kid, now).public_key, algorithms=["RS256"])

    assert claims["token_use"] == "access"


def test_the_keys_are_read_again_after_an_hour(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    keys.key(pool.id_key.kid, now)

    keys.key(pool.id_key.kid, now + MAX_AGE)
    within = pool.calls.count("jwks")
    keys.key(pool.id_key.kid, now + MAX_AGE + SECOND)

    assert within == 1
    assert pool.calls.count("jwks") == 2


def test_an_unknown_kid_is_looked_up_once_more(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    keys.key(pool.id_key.kid, now)

    with pytest.raises(InvalidTokenError) as refusal:
        keys.key("unknown", now + COOLDOWN)

    assert refusal.value.claim == "kid"
    assert pool.calls.count("jwks") == 2


def test_a_flood_of_unknown_kids_costs_one_fetch(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    keys.key(pool.id_key.kid, now)
    later = now + timedelta(minutes=5)

    for number in range(50):
        with pytest.raises((InvalidTokenError, ProviderUnavailableError)):
            keys.key(f"unknown-{number}", later + timedelta(milliseconds=190 * number))

    assert pool.calls.count("jwks") == 2


def test_a_flood_of_unknown_kids_does_not_keep_known_ones_out(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    keys.key(pool.id_key.kid, now)

    with pytest.raises(ProviderUnavailableError):
        keys.key("unknown", now + SECOND)

    assert keys.key(pool.access_key.kid, now + SECOND).public_key.key_size == 2048


def test_the_cooldown_is_over_after_ten_seconds(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    keys.key(pool.id_key.kid, now)
    pool.rotate_keys()

    with pytest.raises(ProviderUnavailableError) as unavailable:
        keys.key(pool.id_key.kid, now + COOLDOWN - SECOND)
    found = keys.key(pool.id_key.kid, now + COOLDOWN)

    assert unavailable.value.retry_after == COOLDOWN.total_seconds()
    assert found.public_key.public_numbers() == pool.id_key.private.public_key().public_numbers()


def test_a_key_that_was_withdrawn_is_known_no_more(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    withdrawn = pool.id_key.kid
    keys.key(withdrawn, now)
    pool.rotate_keys(keep_old=False)

    with pytest.raises(InvalidTokenError):
        keys.key(withdrawn, now + MAX_AGE + SECOND)


# --- Outages


def test_the_last_good_keys_outlive_an_outage(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    before = keys.key(pool.id_key.kid, now)

    with pool.down():
        after = keys.key(pool.id_key.kid, now + timedelta(days=2))

    assert after == before
    assert keys.fetched_at == now


def test_an_unknown_kid_during_an_outage_is_no_verdict(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    keys.key(pool.id_key.kid, now)

    with pool.down(), pytest.raises(ProviderUnavailableError):
        keys.key("unknown", now + timedelta(minutes=5))


def test_a_cold_start_during_an_outage_tries_once_in_ten_seconds(
    keys: KeySet, pool: FakeUserPool, now: datetime
) -> None:
    pool.fail("jwks", Failure.UNAVAILABLE)

    for second in range(10):
        with pytest.raises(ProviderUnavailableError):
            keys.key(pool.id_key.kid, now + second * SECOND)

    assert pool.calls.count("jwks") == 1


def test_keys_come_once_the_outage_is_over(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    with pool.down(), pytest.raises(ProviderUnavailableError):
        keys.key(pool.id_key.kid, now)

    assert keys.key(pool.id_key.kid, now + COOLDOWN).public_key.key_size == 2048


def test_no_answer_is_waited_for_no_longer_than_the_timeout(
    keys: KeySet, pool: FakeUserPool, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "TIMEOUT_SECONDS", (0.2, 0.2))
    pool.fail("jwks", Failure.HANG)
    began = time.monotonic()

    with pytest.raises(ProviderUnavailableError):
        keys.key(pool.id_key.kid, now)

    assert time.monotonic() - began < 2


# --- Nonsense

EC_KEY = ECAlgorithm.to_jwk(generate_private_key(SECP256R1()).public_key(), as_dict=True)
NONSENSE: dict[str, object] = {
    "null": None,
    "number": 7,
    "text": "keys",
    "list": [],
    "empty object": {},
    "no keys": {"keys": []},
    "keys null": {"keys": None},
    "keys an object": {"keys": {"kid": "k"}},
    "entries no objects": {"keys": [None, 7, "key", []]},
    "elliptic curve": {"keys": [EC_KEY | {"kid": "k", "use": "sig"}]},
    "symmetric": {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "RS256"}]},
    "no numbers": {"keys": [{"kty": "RSA", "kid": "k"}]},
    "empty numbers": {"keys": [{"kty": "RSA", "kid": "k", "n": "", "e": ""}]},
    "no base64": {"keys": [{"kty": "RSA", "kid": "k", "n": "!!", "e": "AQAB"}]},
    "no kid": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]},
    "kid a number": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": 7}]},
}


@pytest.mark.parametrize("document", NONSENSE.values(), ids=NONSENSE)
def test_a_key_set_without_a_usable_key_is_an_outage(
    keys: KeySet, pool: FakeUserPool, now: datetime, document: object
) -> None:
    pool.fail("jwks", json_response(document))

    with pytest.raises(ProviderUnavailableError):
        keys.key(pool.id_key.kid, now)


@pytest.mark.parametrize("numbers", [{"n": 7, "e": "AQAB"}, {"n": "AQAB", "e": None}, {"n": ["AQAB"], "e": {}}])
def test_a_key_whose_numbers_are_no_text_is_passed_over(
    keys: KeySet, pool: FakeUserPool, now: datetime, numbers: dict[str, object]
) -> None:
    pool.fail("jwks", json_response({"keys": [{"kty": "RSA", "kid": "k"} | numbers, pool.id_key.jwk]}))

    assert keys.key(pool.id_key.kid, now).public_key.key_size == 2048


@pytest.mark.parametrize(
    "failure",
    [failure for failure in Failure if failure is not Failure.HANG],
    ids=lambda failure: failure.name,
)
def test_a_failing_endpoint_is_an_outage(keys: KeySet, pool: FakeUserPool, now: datetime, failure: Failure) -> None:
    pool.fail("jwks", failure)

    with pytest.raises(ProviderUnavailableError):
        keys.key(pool.id_key.kid, now)


def test_a_redirect_is_not_followed(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    pool.fail("jwks", Response(302, b"", {"Location": f"{pool.jwks_url}?again"}), times=1)

    with pytest.raises(ProviderUnavailableError):
        keys.key(pool.id_key.kid, now)

    assert pool.calls.count("jwks") == 1


def test_a_deeply_nested_key_set_is_an_outage(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    pool.fail("jwks", Response(200, b'{"keys":' + b"[" * 200_000, {"Content-Type": "application/json"}))

    with pytest.raises(ProviderUnavailableError):
        keys.key(pool.id_key.kid, now)


def test_a_good_key_is_found_among_kinds_we_do_not_know(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    strange = [entry for document in NONSENSE.values() for entry in entries_of(document)]
    encrypting = pool.id_key.jwk | {"use": "enc"}
    other_algorithm = pool.id_key.jwk | {"alg": "RS512"}
    pool.fail("jwks", json_response({"keys": [*strange, encrypting, other_algorithm, pool.access_key.jwk]}))

    assert keys.key(pool.access_key.kid, now).public_key.key_size == 2048
    with pytest.raises(ProviderUnavailableError):
        keys.key(pool.id_key.kid, now + SECOND)


@pytest.mark.parametrize("numbers", [{"n": 2**1023 + 1}, {"n": 2**8192 + 1}, {"e": 65536}, {"e": 0}])
def test_a_key_that_is_weak_or_takes_for_ever_is_passed_over(
    keys: KeySet, pool: FakeUserPool, now: datetime, numbers: dict[str, int]
) -> None:
    encoded = {name: to_base64url_uint(number).decode() for name, number in numbers.items()}
    bad = pool.id_key.jwk | {"kid": "bad"} | encoded
    pool.fail("jwks", json_response({"keys": [bad, pool.id_key.jwk]}))

    assert keys.key(pool.id_key.kid, now).public_key.key_size == 2048
    with pytest.raises(InvalidTokenError):
        keys.key("bad", now)


def test_a_private_key_in_the_key_set_is_passed_over(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    private = RSAAlgorithm.to_jwk(pool.id_key.private, as_dict=True) | {"kid": pool.id_key.kid}
    pool.fail("jwks", json_response({"keys": [private]}))

    with pytest.raises(ProviderUnavailableError):
        keys.key(pool.id_key.kid, now)


def test_nonsense_does_not_replace_good_keys(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    keys.key(pool.id_key.kid, now)
    pool.fail("jwks", json_response({"keys": []}))

    assert keys.key(pool.id_key.kid, now + timedelta(hours=2)).public_key.key_size == 2048


# --- Threads


def test_twenty_threads_that_start_cold_fetch_once(keys: KeySet, pool: FakeUserPool, now: datetime) -> None:
    pool.slow("jwks", 0.2)
    together = threading.Barrier(20)

    def ask(number: int) -> Any:
        together.wait(timeout=10)
        return keys.key(pool.id_key.kid, now + number * timedelta(milliseconds=1))

    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(ask, range(20)))

    assert len({json.dumps(key.public_key.public_numbers().n) for key in found}) == 1
    assert pool.calls.count("jwks") == 1


def test_a_slow_endpoint_does_not_hold_up_who_needs_a_known_key(
    keys: KeySet, pool: FakeUserPool, now: datetime
) -> None:
    keys.key(pool.id_key.kid, now)
    later = now + timedelta(hours=2)

    with pool.held("jwks"):
        waiting = Background(lambda: keys.key("unknown", later))
        pool.calls.wait_for("jwks", 2)
        began = time.monotonic()
        keys.key(pool.id_key.kid, later)
        took = time.monotonic() - began

    with pytest.raises(InvalidTokenError):
        waiting.answer()
    assert took < 2  # and not until the endpoint answers, which it never does here
    assert pool.calls.count("jwks") == 2


def entries_of(document: object) -> list[Any]:
    entries = document.get("keys") if isinstance(document, dict) else None
    return entries if isinstance(entries, list) else []
