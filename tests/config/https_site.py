"""The app under gunicorn as it stands behind a proxy that ends TLS, and visitors who come through that proxy."""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import requests

from tests.fake_user_pool import FakeUserPool, Person
from tests.servers import AppServer

HOST = "app.example.com"
SITE_URL = f"https://{HOST}"


class Visitor:
    """Sends what the proxy would pass on, and keeps cookies; it follows no redirect."""

    def __init__(self, server: AppServer) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    def send(
        self, method: str, address: str, *, scheme: str = "https", headers: dict[str, str] | None = None
    ) -> requests.Response:
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        own = {"Host": HOST, "X-Forwarded-Proto": scheme, "Accept": "text/html", "Connection": "close"}
        if self.cookies:
            own["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = requests.request(
            method, f"{self.server.url}{path}", headers=own | (headers or {}), allow_redirects=False, timeout=30
        )
        # Each Set-Cookie by itself, which requests folds into one line.
        for line in response.raw.headers.getlist("Set-Cookie"):
            self.set_cookies.append(line)
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return response

    def get(self, address: str, **headers: str) -> requests.Response:
        return self.send("GET", address, headers=headers)

    def sign_in(self, pool: FakeUserPool, person: Person) -> None:
        to_hosted_ui = self.get("/login/").headers["Location"]
        self.get(pool.authorize(to_hosted_ui, person))
