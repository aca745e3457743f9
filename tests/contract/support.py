"""What the contract suite knows of a user pool, and the two sides that talk to it: a browser and a relying party.

Plain requests and boto3, so that the suite describes Cognito and not this project's client.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import boto3
import jwt
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

Tokens = dict[str, Any]
TIMEOUT = 10
AWS = boto3.Session(region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Person:
    """Someone who can sign in."""

    email: str
    password: str


@dataclass(frozen=True)
class Pool:
    """A user pool under test, whoever plays it: the app's settings for it, and its API."""

    settings: Mapping[str, str]
    site_url: str

    @property
    def url(self) -> str:
        return self.settings["COGNITO_DOMAIN"]

    @property
    def user_pool_id(self) -> str:
        return self.settings["COGNITO_USER_POOL_ID"]

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.us-east-1.amazonaws.com/{self.user_pool_id}"

    @property
    def client_id(self) -> str:
        return self.settings["COGNITO_CLIENT_ID"]

    @property
    def client_secret(self) -> str:
        return self.settings["COGNITO_CLIENT_SECRET"]

    @property
    def scope(self) -> str:
        return self.settings["COGNITO_SCOPES"]

    @property
    def callback(self) -> str:
        return f"{self.site_url}/callback/"

    @property
    def signed_out(self) -> str:
        return f"{self.site_url}/signed-out/"

    @cached_property
    def api(self) -> CognitoIdentityProviderClient:
        """The API as people's own tokens open it: unsigned."""
        config = ONE_ATTEMPT.merge(Config(signature_version=UNSIGNED))
        return AWS.client("cognito-idp", endpoint_url=self.settings["COGNITO_ENDPOINT_URL"], config=config)

    @cached_property
    def admin(self) -> CognitoIdentityProviderClient:
        """The API as an administrator's credentials open it."""
        return AWS.client("cognito-idp", endpoint_url=self.settings["COGNITO_ENDPOINT_URL"], config=ONE_ATTEMPT)

    def add_person(self, name: str, *groups: str) -> Person:
        """Make someone new, as an administrator does."""
        person = Person(f"{name}-{secrets.token_hex(8)}@example.com", password=secrets.token_urlsafe(16))
        attributes = {"email": person.email, "email_verified": "true", "name": name.capitalize()}
        pool_id, username = self.user_pool_id, person.email
        self.admin.admin_create_user(
            UserPoolId=pool_id,
            Username=username,
            UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
            MessageAction="SUPPRESS",
        )
        self.admin.admin_set_user_password(
            UserPoolId=pool_id, Username=username, Password=person.password, Permanent=True
        )
        for group in groups:
            self.admin.admin_add_user_to_group(UserPoolId=pool_id, Username=username, GroupName=group)
        return person

    def username(self, person: Person) -> str:
        return self.admin.admin_get_user(UserPoolId=self.user_pool_id, Username=person.email)["Username"]

    def groups(self, person: Person) -> set[str]:
        found = self.admin.admin_list_groups_for_user(UserPoolId=self.user_pool_id, Username=person.email)
        return {group["GroupName"] for group in found["Groups"]}

    def key_set(self) -> dict[str, jwt.PyJWK]:
        document = requests.get(self.settings["COGNITO_JWKS_URL"], timeout=TIMEOUT).json()
        return {key["kid"]: jwt.PyJWK(key) for key in document["keys"]}


class RelyingParty:
    """The app's server: makes authorization requests and exchanges codes, each time with a new PKCE verifier."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.verifier = secrets.token_urlsafe(32)
        self.nonce = secrets.token_urlsafe(16)
        self.state = secrets.token_urlsafe(16)

    def authorization_url(self, **changes: str | None) -> str:
        """Return an authorization request; `changes` replace parameters, None leaves one out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.pool.client_id,
            "redirect_uri": self.pool.callback,
            "scope": self.pool.scope,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        given = {name: value for name, value in (parameters | changes).items() if value is not None}
        return f"{self.pool.url}/oauth2/authorize?{urlencode(given)}"

    def exchange(self, code: str, *, basic: bool = False, **changes: str) -> requests.Response:
        """Exchange a code; `basic` puts the client's credentials in the header, not the body."""
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.pool.callback,
            "code_verifier": self.verifier,
        }
        credentials = {"client_id": self.pool.client_id, "client_secret": self.pool.client_secret}
        if basic:
            auth = (credentials["client_id"], credentials["client_secret"])
            return requests.post(f"{self.pool.url}/oauth2/token", data=body | changes, auth=auth, timeout=TIMEOUT)
        return requests.post(f"{self.pool.url}/oauth2/token", data=body | credentials | changes, timeout=TIMEOUT)


class Browser:
    """A browser as far as a sign-in needs one: cookies, redirects within the pool's own pages, and one form."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.session = requests.Session()

    def visit(self, url: str) -> requests.Response:
        """Follow redirects until there is a page, or one leads away from the pool."""
        response = self.session.get(url, allow_redirects=False, timeout=TIMEOUT)
        while response.is_redirect and (target := self._target(response)).startswith(f"{self.pool.url}/"):
            response = self.session.get(target, allow_redirects=False, timeout=TIMEOUT)
        return response

    def sign_in(self, url: str, person: Person, *, password: str | None = None) -> requests.Response:
        """Open an authorization request and submit the login form."""
        page = self.visit(url)
        form = _Form(page.text)
        fields = form.hidden | {"username": person.email, "password": password or person.password}
        target = urljoin(page.url, form.action)
        return self.session.post(target, data=fields, allow_redirects=False, timeout=TIMEOUT)

    def close(self) -> None:
        self.session.close()

    def _target(self, response: requests.Response) -> str:
        return urljoin(response.url, response.headers["Location"])


class _Form(HTMLParser):
    """The action and the hidden fields of a page's form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"] or ""] = given.get("value") or ""


def sign_in(pool: Pool, person: Person, **changes: str | None) -> Tokens:
    """Sign a person in from beginning to end and return the token response."""
    app, browser = RelyingParty(pool), Browser(pool)
    with browser.session:
        code = answer(browser.sign_in(app.authorization_url(**changes), person))["code"]
    tokens: Tokens = app.exchange(code).json()
    return tokens


def refresh(pool: Pool, refresh_token: str, **changes: str) -> dict[str, Any]:
    """Refresh through the API and return its AuthenticationResult."""
    result = pool.api.get_tokens_from_refresh_token(
        RefreshToken=refresh_token,
        ClientId=changes.get("ClientId", pool.client_id),
        ClientSecret=changes.get("ClientSecret", pool.client_secret),
    )
    return dict(result["AuthenticationResult"])


def revoke(pool: Pool, token: str, **changes: str) -> None:
    """Revoke through the API."""
    pool.api.revoke_token(
        **({"Token": token, "ClientId": pool.client_id, "ClientSecret": pool.client_secret} | changes)
    )


def answer(response: requests.Response) -> dict[str, str]:
    """Return the query of the redirect that answers an authorization request."""
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: value for name, (value,) in query.items()}


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def code_of(error: ClientError) -> str:
    """Return the name of a typed error."""
    return error.response["Error"]["Code"]


def fake_only(limit: str) -> pytest.MarkDecorator:
    """Run a test of the contract on the fake only, because of a limit of MiniStack's."""
    return pytest.mark.parametrize("pool", [pytest.param("fake", id=f"fake, since MiniStack {limit}")], indirect=True)
