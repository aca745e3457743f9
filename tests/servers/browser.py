"""Browsers over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter

from tests.fake_user_pool import FakeUserPool, Person

T = TypeVar("T")
TIMEOUT_SECONDS = 30.0
CSRF_COOKIES = {"csrf", "__Host-csrf"}


class HttpBrowser:
    """A browser with a person in front of it, not signed in until `sign_in`; threads may share it.

    It follows no redirect. Each request has a connection of its own, so that any worker may get it. `address` is the
    loopback address it comes from; `certificate` the site's, if that has one of its own making.
    """

    def __init__(
        self, site_url: str, pool: FakeUserPool, person: Person, *, address: str = "", certificate: Path | None = None
    ) -> None:
        self.site_url = site_url
        self.pool = pool
        self.person = person
        self.address = address
        self.certificate = certificate
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.verify = str(certificate) if certificate else True
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, _Adapter(address))
        self._http.headers.update({"Accept": "text/html", "Connection": "close"})

    def get(self, address: str) -> requests.Response:
        return self._send("GET", address)

    def post(self, address: str) -> requests.Response:
        return self._send("POST", address)

    @property
    def cookie_header(self) -> str:
        """What this browser sends the site, for a request that is made some other way."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies)

    def sign_in(self, next_url: str = "/") -> requests.Response:
        """Sign in through the hosted UI and return the response to the authorization response."""
        return self.get(self.authorize(next_url))

    def authorize(self, next_url: str = "/") -> str:
        """Go as far as the hosted UI and return the authorization response: where it sends the browser then."""
        return self.pool.authorize(self.get(f"/login/?next={next_url}").headers["Location"], self.person)

    def twin(self, site_url: str = "") -> HttpBrowser:
        """Return a browser with the same cookies, for another host of the site or for use after a sign-out."""
        twin = HttpBrowser(
            site_url or self.site_url, self.pool, self.person, address=self.address, certificate=self.certificate
        )
        twin._http.cookies.update(self._http.cookies)
        return twin

    def _send(self, method: str, address: str) -> requests.Response:
        return self._http.request(
            method,
            urljoin(self.site_url, address),
            data={"csrfmiddlewaretoken": self._csrf_token()} if method == "POST" else None,
            headers={"Origin": self.site_url} if method == "POST" else None,
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )

    def _csrf_token(self) -> str:
        """Return what the forms of all pages have in them: Django takes the cookie's value for it."""
        return next((cookie.value or "" for cookie in self._http.cookies if cookie.name in CSRF_COOKIES), "")


class _Adapter(HTTPAdapter):
    """Connects from one of this host's own addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__(pool_maxsize=256)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        if self._address:
            options["source_address"] = (self._address, 0)
        super().init_poolmanager(connections, maxsize, block, **options)


def at_once(actions: Sequence[Callable[[], T]]) -> list[T]:
    """Let all actions begin at the same moment, each in a thread of its own, and return what they return."""
    start = threading.Barrier(len(actions), timeout=TIMEOUT_SECONDS)

    def act(action: Callable[[], T]) -> T:
        start.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as executor:
        return list(executor.map(act, actions))
