from __future__ import annotations

import base64
import hashlib
import math
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.cognito import oidc
from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import (
    AuthorizationResponseError,
    CognitoError,
    InvalidGrantError,
    ProviderUnavailableError,
    TokenEndpointError,
)
from accounts.cognito.tokens import TokenResponse
from tests.fake_user_pool import Failure, FakeUserPool, Person
from tests.fake_user_pool.web import Response, html, json_response

CALLBACK = "http://testserver/callback/"


# --- The authorization request


def test_an_authorization_request_has_every_parameter(config: UserPoolConfig, pool: FakeUserPool) -> None:
    request = oidc.authorization_request(config, redirect_uri=CALLBACK)

    assert request.url.startswith(f"{pool.base_url}/oauth2/authorize?")
    assert query_of(request) == {
        "response_type": ["code"],
        "client_id": [pool.client_id],
        "redirect_uri": [CALLBACK],
        "scope": [" ".join(pool.scopes)],
        "state": [request.state],
        "nonce": [request.nonce],
        "code_challenge": [challenge_of(request.code_verifier)],
        "code_challenge_method": ["S256"],
    }


def test_every_authorization_request_has_secrets_of_its_own(config: UserPoolConfig) -> None:
    requests = [oidc.authorization_request(config, redirect_uri=CALLBACK) for _ in range(20)]

    secrets = [secret for request in requests for secret in (request.state, request.nonce, request.code_verifier)]
    assert len(set(secrets)) == 60
    assert all(len(secret) == 43 for secret in secrets)  # 256 bits; RFC 7636 asks for 43 characters


@pytest.mark.parametrize(
    ("language", "lang"),
    [("de", "de"), ("de-at", "de"), ("en-GB", "en"), ("pt-br", "pt-BR"), ("zh-cn", "zh-CN"), ("JA", "ja")],
)
def test_the_hosted_ui_is_asked_to_speak_a_language_it_knows(language: str, lang: str) -> None:
    assert oidc.language_hint(language) == {"lang": lang}


@pytest.mark.parametrize("language", ["", "nl", "pt", "zh-hans", "deutsch"])
def test_the_hosted_ui_is_not_asked_for_a_language_it_does_not_know(language: str) -> None:
    assert oidc.language_hint(language) == {}


def test_known_hints_are_passed_on(config: UserPoolConfig) -> None:
    hints = {"login_hint": "ann@example.com", "lang": "de", "prompt": "login", "identity_provider": "Google"}

    request = oidc.authorization_request(config, redirect_uri=CALLBACK, hints=hints)

    assert {name: values[0] for name, values in query_of(request).items() if name in hints} == hints


@pytest.mark.parametrize(
    "name",
    ["state", "nonce", "redirect_uri", "client_id", "scope", "response_type", "code_challenge", "next", "resource"],
)
def test_no_other_hint_is_passed_on(config: UserPoolConfig, name: str) -> None:
    request = oidc.authorization_request(config, redirect_uri=CALLBACK, hints={name: "of-a-stranger"})

    assert "of-a-stranger" not in request.url


@pytest.mark.parametrize("value", ["", "x" * 257])
def test_an_empty_or_overlong_hint_is_left_out(config: UserPoolConfig, value: str) -> None:
    request = oidc.authorization_request(config, redirect_uri=CALLBACK, hints={"login_hint": value})

    assert "login_hint" not in query_of(request)


@pytest.mark.parametrize("hint", ["a&state=x", "a#b", "a\r\nb", "a\x00b", "grüße 😀", "%26scope%3Dall", "a;b"])
def test_a_hint_stays_one_parameter(config: UserPoolConfig, hint: str) -> None:
    request = oidc.authorization_request(config, redirect_uri=CALLBACK, hints={"login_hint": hint})

    assert query_of(request)["login_hint"] == [hint]
    assert query_of(request)["state"] == [request.state]
    assert request.url.isascii()
    assert request.url.isprintable()


# --- The authorization response


def test_the_code_of_a_response_is_read() -> None:
    assert oidc.read_authorization_response({"code": ["abc"], "state": ["s"]}) == "abc"


@pytest.mark.parametrize("code", ["6f1c9c52-8f4e-4a0b-9c0d-0a4f0e6b7c11", "a.b_c~d/e+f=", "x" * 2048])
def test_a_code_of_any_usual_form_is_taken(code: str) -> None:
    assert oidc.read_authorization_response({"code": [code]}) == code


@pytest.mark.parametrize(
    "code",
    [
        "<script>",
        "a b",
        "a&b",
        "a%00",
        "\x00",
        "abc\n",
        "\nabc",
        "ä",
        "\u0660",
        "' OR 1=1 --",
        "../../etc/passwd ",
        "x" * 2049,
    ],
    ids=lambda code: repr(code)[:20],
)
def test_what_does_not_look_like_a_code_is_none(code: str) -> None:
    with pytest.raises(AuthorizationResponseError) as refusal:
        oidc.read_authorization_response({"code": [code]})

    assert refusal.value.error == "invalid_response"
    assert code not in refusal.value.description


@pytest.mark.parametrize(
    "parameters", [{}, {"code": []}, {"code": [""]}, {"code": ["a", "b"]}, {"code": ["a", "a"]}, {"Code": ["a"]}]
)
def test_a_response_without_exactly_one_code_is_refused(parameters: dict[str, list[str]]) -> None:
    with pytest.raises(AuthorizationResponseError) as refusal:
        oidc.read_authorization_response(parameters)

    assert refusal.value.error == "invalid_response"


def test_an_error_wins_over_a_code() -> None:
    with pytest.raises(AuthorizationResponseError) as refusal:
        oidc.read_authorization_response({"code": ["abc"], "error": ["access_denied"], "error_description": ["No."]})

    assert (refusal.value.error, refusal.value.description) == ("access_denied", "No.")


# --- The code exchange


def test_a_code_is_exchanged_for_tokens(config: UserPoolConfig, pool: FakeUserPool, person: Person) -> None:
    request = oidc.authorization_request(config, redirect_uri=CALLBACK)
    code = code_for(pool, request, person)

    response = exchange(config, code, request.code_verifier)

    assert response.refresh_token in pool.refresh_tokens


def test_a_public_client_sends_no_secret(config: UserPoolConfig, pool: FakeUserPool, person: Person) -> None:
    pool.client_secrets = []
    public = replace(config, client_secrets=())
    request = oidc.authorization_request(public, redirect_uri=CALLBACK)

    exchange(public, code_for(pool, request, person), request.code_verifier)

    assert "client_secret" not in pool.calls.of("token")[0].parameters


def test_a_secret_with_a_plus_sign_arrives_as_it_is(config: UserPoolConfig, pool: FakeUserPool, person: Person) -> None:
    pool.client_secrets = ["a+b/c=%20&d"]
    awkward = replace(config, client_secrets=("a+b/c=%20&d",))
    request = oidc.authorization_request(awkward, redirect_uri=CALLBACK)

    assert exchange(awkward, code_for(pool, request, person), request.code_verifier).access_token


def test_a_used_code_is_an_invalid_grant(config: UserPoolConfig, pool: FakeUserPool, person: Person) -> None:
    request = oidc.authorization_request(config, redirect_uri=CALLBACK)
    code = code_for(pool, request, person)
    exchange(config, code, request.code_verifier)

    with pytest.raises(InvalidGrantError):
        exchange(config, code, request.code_verifier)


def test_another_verifier_is_an_invalid_grant(config: UserPoolConfig, pool: FakeUserPool, person: Person) -> None:
    request = oidc.authorization_request(config, redirect_uri=CALLBACK)

    with pytest.raises(InvalidGrantError):
        exchange(config, code_for(pool, request, person), "v" * 43)


@pytest.mark.parametrize(
    "error",
    ["invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "other"],
)
def test_an_oauth_error_keeps_its_code(config: UserPoolConfig, pool: FakeUserPool, error: str) -> None:
    pool.fail("token", json_response({"error": error, "error_description": "why"}, 400))

    with pytest.raises(TokenEndpointError) as refusal:
        exchange(config)

    assert not isinstance(refusal.value, InvalidGrantError)
    assert (refusal.value.error, refusal.value.description) == (error, "why")


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable", "slow_down"])
def test_an_oauth_error_that_means_later_is_an_outage(config: UserPoolConfig, pool: FakeUserPool, error: str) -> None:
    pool.fail("token", error)

    with pytest.raises(ProviderUnavailableError):
        exchange(config)


ANSWERS: dict[str, Failure | Response] = {
    **{failure.name: failure for failure in Failure if failure is not Failure.HANG},
    "429 with JSON": json_response({"message": "Too Many Requests"}, 429),
    "500 with an OAuth error": json_response({"error": "invalid_grant"}, 500),
    "502": Response(502, b"bad gateway"),
    "redirect": Response(302, b"", {"Location": "/elsewhere"}),
    "redirect with tokens": Response(307, b'{"id_token": "a"}', {"Location": "/oauth2/token"}),
    "empty": Response(200, b""),
    "not UTF-8": Response(200, b"\xff\xfe\x00"),
    "null": json_response(None),
    "number": json_response(7),
    "text": json_response("error"),
    "list": json_response([]),
    "list with error": json_response(["error"]),
    "empty object": json_response({}),
    "no ID token": json_response({"access_token": "a", "refresh_token": "r"}),
    "no access token": json_response({"id_token": "a", "refresh_token": "r"}),
    "refresh token a number": json_response({"access_token": "a", "id_token": "b", "refresh_token": 7}),
    "expires_in text": json_response({"access_token": "a", "id_token": 7, "expires_in": "soon"}),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_no_answer_is_an_outage_and_is_not_asked_for_again(
    config: UserPoolConfig, pool: FakeUserPool, answer: Failure | Response
) -> None:
    pool.fail("token", answer)

    with pytest.raises(ProviderUnavailableError):
        exchange(config)

    assert pool.calls.count("*") == 1


FIREWALLS = {
    "a page": html("<h1>403 Forbidden</h1>", 403),
    "JSON": json_response({"message": "Forbidden"}, 403),
    "JSON that is no object": json_response("error", 403),
    "nothing": Response(405, b""),
    "deeply nested JSON": Response(403, b"[" * 200_000, {"Content-Type": "application/json"}),
}


@pytest.mark.parametrize("answer", FIREWALLS.values(), ids=FIREWALLS)
def test_a_firewall_that_turns_a_request_away_is_told_from_silence(
    config: UserPoolConfig, pool: FakeUserPool, answer: Response
) -> None:
    pool.fail("token", answer)

    with pytest.raises(ProviderUnavailableError) as outage:
        exchange(config)

    assert outage.value.turned_away


@pytest.mark.parametrize("status", [200, 302, 408, 429, 500, 503])
def test_any_other_page_is_silence(config: UserPoolConfig, pool: FakeUserPool, status: int) -> None:
    pool.fail("token", html("<h1>Not now</h1>", status))

    with pytest.raises(ProviderUnavailableError) as outage:
        exchange(config)

    assert not outage.value.turned_away


def test_a_firewall_says_nothing_of_whether_the_client_is_refused(config: UserPoolConfig, pool: FakeUserPool) -> None:
    pool.fail("token", html("<h1>403 Forbidden</h1>", 403))

    with pytest.raises(ProviderUnavailableError):
        oidc.client_is_refused(config)


ODD_ANSWERS = {
    "error null": {"error": None},
    "error a number": {"error": 7},
}
LET_OUT: dict[str, dict[str, object]] = {
    "error an object": {"error": {"code": "invalid_grant"}},
    "error a list": {"error": ["invalid_grant"]},
    "expires_in a list": {"access_token": "a", "id_token": "b", "refresh_token": "c", "expires_in": [1]},
    "expires_in endless": {"access_token": "a", "id_token": "b", "refresh_token": "c", "expires_in": math.inf},
    "expires_at an object": {"access_token": "a", "id_token": "b", "refresh_token": "c", "expires_at": {"a": 1}},
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_an_error_code_that_is_no_text_is_a_cognito_error(
    config: UserPoolConfig, pool: FakeUserPool, answer: dict[str, object]
) -> None:
    pool.fail("token", json_response(answer))

    with pytest.raises(CognitoError):
        exchange(config)


@pytest.mark.parametrize("answer", LET_OUT.values(), ids=LET_OUT)
def test_an_answer_with_members_of_the_wrong_type_is_a_cognito_error(
    config: UserPoolConfig, pool: FakeUserPool, answer: dict[str, object]
) -> None:
    pool.fail("token", json_response(answer))

    with pytest.raises(CognitoError):
        exchange(config)


def test_a_deeply_nested_answer_is_an_outage(config: UserPoolConfig, pool: FakeUserPool) -> None:
    pool.fail("token", Response(200, b"[" * 200_000, {"Content-Type": "application/json"}))

    with pytest.raises(ProviderUnavailableError):
        exchange(config)


def test_no_answer_is_waited_for_no_longer_than_the_timeout(
    config: UserPoolConfig, pool: FakeUserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", (0.2, 0.2))
    pool.fail("token", Failure.HANG)
    began = time.monotonic()

    with pytest.raises(ProviderUnavailableError):
        exchange(config)

    assert time.monotonic() - began < 2
    assert pool.calls.count("token") == 1


def test_a_refused_connection_is_an_outage(config: UserPoolConfig, pool: FakeUserPool) -> None:
    with pool.down(), pytest.raises(ProviderUnavailableError):
        exchange(config)


def test_an_error_about_the_exchange_never_contains_its_secrets(config: UserPoolConfig, pool: FakeUserPool) -> None:
    with pool.down(), pytest.raises(ProviderUnavailableError) as outage:
        exchange(config, "the-secret-code", "the-secret-verifier")

    said = f"{outage.value!r} {outage.value.__cause__!r}"
    assert "the-secret" not in said
    assert pool.client_secrets[0] not in said


# --- Two client secrets


@pytest.mark.parametrize("position", [0, 1])
def test_while_secrets_rotate_either_one_will_do(
    config: UserPoolConfig, pool: FakeUserPool, person: Person, position: int
) -> None:
    secrets = ["stale-secret", "stale-secret"]
    secrets[position] = pool.client_secrets[0]
    rotating = replace(config, client_secrets=tuple(secrets))
    request = oidc.authorization_request(rotating, redirect_uri=CALLBACK)

    response = exchange(rotating, code_for(pool, request, person), request.code_verifier)

    assert response.access_token
    assert pool.calls.count("token") == position + 1


def test_when_both_secrets_are_wrong_the_client_is(config: UserPoolConfig, pool: FakeUserPool) -> None:
    with pytest.raises(TokenEndpointError) as refusal:
        exchange(replace(config, client_secrets=("stale-1", "stale-2")))

    assert refusal.value.error == "invalid_client"
    assert pool.calls.count("token") == 2


@pytest.mark.parametrize("answer", ["invalid_grant", "invalid_request", Failure.UNAVAILABLE, Failure.LOST_ANSWER])
def test_the_second_secret_is_not_tried_for_any_other_reason(
    config: UserPoolConfig, pool: FakeUserPool, answer: str | Failure
) -> None:
    pool.fail("token", answer)

    with pytest.raises(CognitoError):
        exchange(replace(config, client_secrets=(pool.client_secrets[0], "new-secret")))

    assert pool.calls.count("token") == 1


# --- Signing out


def test_the_sign_out_url_takes_cognitos_own_parameters(config: UserPoolConfig, pool: FakeUserPool) -> None:
    url = urlsplit(oidc.sign_out_url(config, sign_out_uri="http://testserver/signed-out/?a=1&b=ü"))

    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{pool.base_url}/logout"
    assert parse_qs(url.query, strict_parsing=True) == {
        "client_id": [pool.client_id],
        "logout_uri": ["http://testserver/signed-out/?a=1&b=ü"],
    }


# --- Helpers


def exchange(config: UserPoolConfig, code: str = "some-code", code_verifier: str = "v" * 43) -> TokenResponse:
    return oidc.exchange_code(config, code=code, code_verifier=code_verifier, redirect_uri=CALLBACK)


def code_for(pool: FakeUserPool, request: oidc.AuthorizationRequest, person: Person) -> str:
    return parse_qs(urlsplit(pool.authorize(request.url, person)).query)["code"][0]


def query_of(request: oidc.AuthorizationRequest) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url).query, strict_parsing=True)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
