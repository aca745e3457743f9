"""One request and one response, as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    """What arrived; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True)) if self.media_type == FORM else {}

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object, or an empty one if it is nothing of the kind."""
        try:
            document = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def cookies(self) -> dict[str, str]:
        return {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("cookie", "")).items()}


@dataclass(frozen=True)
class Response:
    """What to answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> Response:
        """Return this response with more headers; `Set_Cookie` stands for `Set-Cookie`."""
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(self.status, self.body, {**self.headers, **added})


def json_response(document: object, status: int = 200, media_type: str = "application/json") -> Response:
    return Response(status, json.dumps(document).encode(), {"Content-Type": media_type})


def html(body: str, status: int = 200) -> Response:
    page = f'<!doctype html><html lang="en"><title>Fake user pool</title><body>{body}</body></html>'
    headers = {"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY", "Cache-Control": "no-store"}
    return Response(status, page.encode(), headers)


def redirect(location: str, **query: str) -> Response:
    """Return a redirect to `location`, with those of `query` that are not empty added to its own."""
    given = {name: value for name, value in query.items() if value}
    separator = "&" if urlsplit(location).query else "?"
    target = f"{location}{separator}{urlencode(given)}" if given else location
    return Response(302, b"", {"Location": target, "Cache-Control": "no-store"})
