"""The OpenID Connect client: the door to the hosted UI's domain.

Authlib builds the authorization request and speaks the token endpoint's protocol. Its OAuth2Session is used bare:
Authlib's framework clients log the `code_verifier` at debug level, cache metadata for ever and look at `error`
before `state`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from accounts.cognito.config import UserPoolConfig
from accounts.cognito.errors import (
    AuthorizationResponseError,
    InvalidGrantError,
    ProviderUnavailableError,
    TokenEndpointError,
)
from accounts.cognito.redacted import Redacted
from accounts.cognito.tokens import TokenResponse

# Imported at first use: `accounts.conf.prepare` says why.
if TYPE_CHECKING:
    import requests
    from authlib.integrations.requests_client import OAuth2Session

TIMEOUT_SECONDS = (2.0, 8.0)  # connect, read

# What a link to our sign-in page may pass on to the hosted UI.
# https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
PASSED_ON = ("identity_provider", "idp_identifier", "login_hint", "lang", "prompt", "max_age")
PASSED_ON_MAX_LENGTH = 256
# What managed login speaks; the classic hosted UI takes no `lang`.
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-managed-login.html
LANGUAGES = ("de", "en", "es", "fr", "id", "it", "ja", "ko", "pt-BR", "zh-CN", "zh-TW")

# Narrower than RFC 6749 appendix A.11, and still wide: Cognito's are UUIDs. What else a query brings is no code, and a
# firewall before the token endpoint may take it for an attack by this very app.
CODE = re.compile(r"[0-9A-Za-z._~+/=-]{1,2048}")

# A refresh token that nobody has.
NOBODYS = "none"

# RFC 6749 section 4.1.2.1 has the first two, RFC 8628 the third; all say "later", not "no".
TEMPORARY_ERRORS = frozenset({"server_error", "temporarily_unavailable", "slow_down"})
TEMPORARY_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class AuthorizationRequest(Redacted):
    """One redirect to the hosted UI, and the three secrets its response is checked against."""

    url: str
    state: str
    nonce: str
    code_verifier: str


def authorization_request(
    config: UserPoolConfig,
    *,
    redirect_uri: str,
    hints: Mapping[str, str] | None = None,
    sign_out_first: bool = False,
) -> AuthorizationRequest:
    """Build an authorization request with fresh `state`, `nonce` and S256 challenge.

    `hints` may hold the parameters named in `PASSED_ON`; anything else in it is left out.
    RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core section 3.1.2.1.

    `sign_out_first` sends it to the hosted UI's sign-out, which clears the login cookie and shows the sign-in page.
    https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
    """
    state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
    with _session(config) as session:
        url, _ = session.create_authorization_url(
            config.sign_out_endpoint if sign_out_first else config.authorization_endpoint,
            redirect_uri=redirect_uri,
            scope=" ".join(config.scopes),
            state=state,
            code_verifier=code_verifier,
            nonce=nonce,
            **passed_on(hints or {}),
        )
    return AuthorizationRequest(url=url, state=state, nonce=nonce, code_verifier=code_verifier)


def passed_on(hints: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of `hints` that may go on to the hosted UI, none of them overlong."""
    found = {name: hints.get(name, "") for name in PASSED_ON}
    return {name: value for name, value in found.items() if value and len(value) <= PASSED_ON_MAX_LENGTH}


def language_hint(language: str) -> dict[str, str]:
    """Return the hint that has the hosted UI speak `language`, a tag such as "de-at"; none if it cannot."""
    known = {name.lower(): name for name in LANGUAGES}
    spoken = known.get(language.lower()) or known.get(language.lower().partition("-")[0])
    return {"lang": spoken} if spoken else {}


def read_authorization_response(parameters: Mapping[str, Sequence[str]]) -> str:
    """Return the `code` of an authorization response whose `state` has been checked already.

    `parameters` maps each query parameter to all its values. Raise AuthorizationResponseError if the response
    carries an error, or not exactly one code (RFC 6749 sections 3.1 and 4.1.2) of a code's form.
    """
    error = parameters.get("error", ())
    if error:
        raise AuthorizationResponseError(error[0], " ".join(parameters.get("error_description", ())))
    code = parameters.get("code", ())
    if len(code) != 1 or not CODE.fullmatch(code[0]):
        raise AuthorizationResponseError("invalid_response", f"{len(code)} codes, not one of the right form")
    return code[0]


def exchange_code(config: UserPoolConfig, *, code: str, code_verifier: str, redirect_uri: str) -> TokenResponse:
    """Exchange an authorization code for tokens, once: a code lost with its answer is burnt.

    While two client secrets are configured the second is tried when the first is refused; a refused client's code
    has not been looked at. Raise InvalidGrantError, TokenEndpointError or ProviderUnavailableError.
    """
    parameters = {"code": code, "code_verifier": code_verifier, "redirect_uri": redirect_uri}
    for secret in config.client_secrets[:-1]:
        try:
            return _fetch_token(config, secret, "authorization_code", parameters)
        except TokenEndpointError as error:
            if error.error != "invalid_client":
                raise
    return _fetch_token(config, next(reversed(config.client_secrets), ""), "authorization_code", parameters)


def client_is_refused(config: UserPoolConfig) -> bool:
    """Tell whether the token endpoint refuses this relying party itself: its client id or all of its secrets.

    The API answers a refresh with a wrong secret just as one with a dead token; the token endpoint tells them apart
    (RFC 6749 section 5.2), so it is asked about a token that nobody has. Raise ProviderUnavailableError if it is
    silent.
    """
    for secret in config.client_secrets or ("",):
        try:
            _fetch_token(config, secret, "refresh_token", {"refresh_token": NOBODYS})
        except TokenEndpointError as error:
            if error.error != "invalid_client":
                return False
    return True


def sign_out_url(config: UserPoolConfig, *, sign_out_uri: str) -> str:
    """Return the hosted UI's address that clears its login cookie and comes back to `sign_out_uri`.

    Built by hand: Cognito's end-session endpoint takes none of the parameters of RP-initiated logout.
    https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
    """
    return f"{config.sign_out_endpoint}?{urlencode({'client_id': config.client_id, 'logout_uri': sign_out_uri})}"


def _session(config: UserPoolConfig, *, secret: str = "") -> OAuth2Session:
    from authlib.integrations.requests_client import OAuth2Session

    session = OAuth2Session(
        client_id=config.client_id,
        client_secret=secret or None,
        # In the body, where form encoding settles what Basic leaves open: a secret may contain "+".
        token_endpoint_auth_method="client_secret_post" if secret else "none",
        code_challenge_method="S256",
        default_timeout=TIMEOUT_SECONDS,
    )
    session.register_compliance_hook("access_token_response", _not_turned_away)
    return session


def _not_turned_away(answer: requests.Response) -> requests.Response:
    """Return what the token endpoint answered. Raise ProviderUnavailableError for a 4xx of something in front of it.

    The endpoint itself says in JSON what is the matter (RFC 6749 section 5.2).
    """
    if not answer.ok and answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and not _has_oauth_error(answer):
        is_temporary = answer.status_code in TEMPORARY_STATUSES
        raise ProviderUnavailableError(f"token endpoint: HTTP {answer.status_code}", turned_away=not is_temporary)
    return answer


def _has_oauth_error(answer: requests.Response) -> bool:
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "error" in document


def _fetch_token(config: UserPoolConfig, secret: str, grant_type: str, parameters: Mapping[str, str]) -> TokenResponse:
    import requests
    from authlib.integrations.base_client import OAuthError

    try:
        with _session(config, secret=secret) as session:
            answer = session.fetch_token(
                config.token_endpoint, grant_type=grant_type, allow_redirects=False, **parameters
            )
    except OAuthError as error:
        raise _refusal(str(error.error), str(error.description or "")) from error
    except (requests.RequestException, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        # All but the first are what JSON of another shape leads to. The cause's text may quote the request.
        raise ProviderUnavailableError(f"token endpoint: {type(error).__name__}") from None
    return TokenResponse.parse(answer)


def _refusal(error: str, description: str) -> TokenEndpointError | ProviderUnavailableError:
    if error == "invalid_grant":
        return InvalidGrantError(error, description)
    if error in TEMPORARY_ERRORS:
        return ProviderUnavailableError(f"token endpoint: {error}")
    return TokenEndpointError(error, description)
