"""FakeUserPool: what tests hold in their hands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlencode, urlsplit

from tests.fake_user_pool import api, endpoints, hosted_ui
from tests.fake_user_pool.faults import Calls, ConnectionDroppedError, Failure, Faults
from tests.fake_user_pool.issuing import Change, Tampering
from tests.fake_user_pool.rules import UserPool
from tests.fake_user_pool.server import LoopbackServer
from tests.fake_user_pool.signing import Signing, SigningKey
from tests.fake_user_pool.state import Person, TokenResponse
from tests.fake_user_pool.web import FORM, Request, Response, html

Handler = Callable[[UserPool, Request], Response]
ROUTES: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", "/oauth2/authorize"): ("authorize", hosted_ui.authorize),
    ("GET", "/login"): ("login", hosted_ui.login_page),
    ("POST", "/login"): ("login", hosted_ui.log_in),
    ("GET", "/logout"): ("logout", hosted_ui.logout),
    ("GET", "/error"): ("error", hosted_ui.error_page),
    ("POST", "/oauth2/token"): ("token", endpoints.token),
    ("POST", "/oauth2/revoke"): ("revoke", endpoints.revoke),
    ("GET", "/oauth2/userInfo"): ("userInfo", endpoints.user_info),
    ("GET", "/POOL/.well-known/jwks.json"): ("jwks", endpoints.key_set),
    ("GET", "/POOL/.well-known/openid-configuration"): ("openid-configuration", endpoints.openid_configuration),
}


class FakeUserPool(UserPool):
    """A user pool that listens on loopback, and does as the test says.

    Settings are the attributes of `TokenIssuer`: `pool.rotation = True`. An operation is named as in `pool.calls`:
    "authorize", "login", "logout", "token", "revoke", "userInfo", "jwks", "openid-configuration", or an operation
    of the API such as "GetUser"; "*" means all.
    """

    def __init__(self, *, port: int = 0, site_url: str = "http://testserver", region: str = "us-east-1") -> None:
        super().__init__(region=region)
        self.calls = Calls()
        self.allow_site(site_url)
        self._faults = Faults()
        self._port = port
        self._server: LoopbackServer | None = None

    # Starting and stopping

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; on the same port again after a stop."""
        self._server = LoopbackServer(self.answer, self._port)
        self._port = self._server.server_port

    def stop(self) -> None:
        """Refuse connections from now on, and raise the first error that was the fake's own fault."""
        if self._server is not None:
            server, self._server = self._server, None
            self._faults.clear()
            server.stop()
            if server.crashes:
                raise server.crashes[0]

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse every connection inside the block."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def jwks_url(self) -> str:
        return f"{self.base_url}/{self.pool_id}/.well-known/jwks.json"

    def environment(self) -> dict[str, str]:
        """Return the app's settings for this pool, as environment variables."""
        settings = {
            "COGNITO_USER_POOL_ID": self.pool_id,
            "COGNITO_CLIENT_ID": self.client_id,
            "COGNITO_CLIENT_SECRET": ",".join(self.client_secrets),
            "COGNITO_DOMAIN": self.base_url,
            "COGNITO_ENDPOINT_URL": self.base_url,
            "COGNITO_JWKS_URL": self.jwks_url,
            "COGNITO_SCOPES": " ".join(self.scopes),
        }
        return settings | ({"COGNITO_ISSUER": self.issuer} if self.updated_issuer else {})

    def allow_site(self, site_url: str) -> None:
        """Register a site's callback and sign-out addresses with the app client."""
        self.callback_urls.append(f"{site_url.rstrip('/')}/callback/")
        self.logout_urls.append(f"{site_url.rstrip('/')}/signed-out/")

    # People

    def add_person(
        self,
        email: str,
        *,
        password: str = "Correct-horse-7",
        groups: list[str] | None = None,
        provider: str = "",
        **attributes: str,
    ) -> Person:
        """Add a person, from another identity provider if `provider` names one; `name="Ann"` gives an attribute."""
        person = Person(email, password, list(groups or []), attributes, provider, created_at=self.now())
        with self.lock:
            self.people[person.sub] = person
        return person

    def sign_in(self, person: Person, *, scopes: list[str] | None = None, nonce: str = "") -> TokenResponse:
        """Sign a person in without browser or HTTP, and return the token response."""
        with self.lock:
            return self.begin(person, tuple(scopes or self.scopes), nonce=nonce)

    def mint(
        self,
        person: Person,
        use: Literal["access", "id"] = "access",
        change: Change | None = None,
        *,
        signing: Signing = Signing.RIGHT,
        scopes: list[str] | None = None,
        nonce: str = "",
    ) -> str:
        """Return one token, tampered with as by `tamper`, of a sign-in of its own."""
        with self.lock:
            self.tamperings.insert(0, Tampering(f"{use}_token", change or dict, signing, times=1))
            response = self.sign_in(person, scopes=scopes, nonce=nonce)
        token: str = response[f"{use}_token"]
        return token

    def authorize(self, authorization_url: str, person: Person, *, cookies: dict[str, str] | None = None) -> str:
        """Do the user's part of an authorization request and return where the browser ends up.

        `cookies` are the hosted UI's in that browser, read and changed; without them it is one of its own.
        """
        jar = {} if cookies is None else cookies
        return self._submit(authorization_url, jar, username=person.email, password=person.password)

    def cancel(self, authorization_url: str) -> str:
        """Let the user refuse; return where the browser ends up."""
        return self._submit(authorization_url, {}, cancel="")

    def _submit(self, authorization_url: str, cookies: dict[str, str], **fields: str) -> str:
        page = urlsplit(authorization_url)
        shown = self._browse(Request("GET", f"{page.path}?{page.query}"), cookies)
        if not shown.headers.get("Location", "").startswith("/login?"):
            return shown.headers.get("Location", authorization_url)
        body = urlencode(fields).encode()
        answer = self._browse(Request("POST", shown.headers["Location"], {"content-type": FORM}, body), cookies)
        if "Location" not in answer.headers:
            raise ValueError(f"the login page says no: {answer.body.decode()}")
        return answer.headers["Location"]

    def _browse(self, request: Request, cookies: dict[str, str]) -> Response:
        """Answer a request of a browser with these cookies, and change them as the answer says."""
        sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
        answer = self.answer(replace(request, headers={**request.headers, "cookie": sent}))
        for name, morsel in SimpleCookie(answer.headers.get("Set-Cookie", "")).items():
            cookies[name] = morsel.value
        return answer

    # Steering

    def slow(self, operation: str, seconds: float, *, times: float = math.inf) -> None:
        """Let calls of an operation wait before they do their work."""
        self._faults.add(operation, seconds=seconds, times=times)

    def fail(self, operation: str, with_: Failure | Response | str, *, times: float = math.inf) -> None:
        """Let calls of an operation fail: in a way of `Failure`, or with a typed error given by its name."""
        self._faults.add(operation, failure=with_, times=times)

    def recover(self, operation: str = "*") -> None:
        """End slowness and failures; calls that are waiting go on at once."""
        self._faults.clear(operation)

    @contextmanager
    def held(self, operation: str) -> Iterator[None]:
        """Keep calls of an operation waiting inside the block, and answer them after it."""
        self.slow(operation, math.inf)
        try:
            yield
        finally:
            self.recover(operation)

    def tamper(
        self,
        what: Literal["access_token", "id_token", "token_response"],
        change: Change | None = None,
        *,
        signing: Signing = Signing.RIGHT,
        times: int = 1,
    ) -> None:
        """Spoil the next tokens, which are otherwise right: `change` returns other claims, `signing` signs wrongly.

        The whole token response has the names of OAuth, also when it goes out through the API:
        `pool.tamper("token_response", lambda r: r | {"access_token": r["id_token"]})`.
        """
        with self.lock:
            self.tamperings.append(Tampering(what, change or dict, signing, times))

    def rotate_keys(self, *, keep_old: bool = True) -> None:
        """Sign with new keys from now on; the key set keeps the old ones if asked to."""
        with self.lock:
            old = [self.access_key, self.id_key]
            (self.retired_keys if keep_old else self.removed_keys).extend(old)
            self.access_key, self.id_key = SigningKey(old[0].number + 2), SigningKey(old[1].number + 2)

    # Serving

    def answer(self, request: Request) -> Response:
        """Answer a request, record it, and let the faults strike."""
        operation, handler = self._route(request)
        with self.calls.recorded(operation, request) as call:
            wrong_answer, lose_answer = self._faults.strike(operation, request)
            response = wrong_answer
            if response is None:
                with self.lock:
                    response = handler(self, request)
            if lose_answer:
                raise ConnectionDroppedError
            call.status = response.status
            return response

    def _route(self, request: Request) -> tuple[str, Handler]:
        if request.method == "POST" and request.path == "/":
            return api.operation_of(request), api.answer
        path = request.path.replace(f"/{self.pool_id}/", "/POOL/", 1)
        if route := ROUTES.get((request.method, path)):
            return route
        known = any(path == known for _, known in ROUTES)
        return path, lambda *_: html("", status=405 if known else 400)
