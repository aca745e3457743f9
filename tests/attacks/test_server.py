"""Bytes that no browser sends, to the app under gunicorn: each is refused, and the next visitor is served."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests

from tests.fake_user_pool import FakeUserPool
from tests.servers import AppServer, SqliteFiles

pytestmark = pytest.mark.slow

HOST = b"Host: localhost\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
CLOSE = b"Connection: close\r\n\r\n"
REQUESTS: dict[str, bytes] = {
    "a null byte in the path": b"GET /%00/sessions/ HTTP/1.1\r\n" + HOST + CLOSE,
    "a raw null byte": b"GET /\0/ HTTP/1.1\r\n" + HOST + CLOSE,
    "bad UTF-8 in the path": b"GET /sessions/%ff%fe/ HTTP/1.1\r\n" + HOST + CLOSE,
    "bad UTF-8 in the query": b"GET /callback/?state=%ff%c0%af&code=%f0%28 HTTP/1.1\r\n" + HOST + CLOSE,
    "bad UTF-8 in a cookie": GET + b"Cookie: session=\xff\xfe; gatehouse_browser=\xc0\xaf\r\n" + CLOSE,
    "a null byte in a cookie": GET + b"Cookie: session=a\0b\r\n" + CLOSE,
    "a header as long as a book": GET + b"X-Long: " + b"x" * 100_000 + b"\r\n" + CLOSE,
    "an address as long as a book": b"GET /?" + b"x" * 100_000 + b" HTTP/1.1\r\n" + HOST + CLOSE,
    "a thousand headers": GET + b"".join(b"X-%d: 1\r\n" % number for number in range(1000)) + CLOSE,
    "two hosts": GET + b"Host: evil.example\r\n" + CLOSE,
    "no host": b"GET / HTTP/1.1\r\n" + CLOSE,
    "another host in the address": b"GET http://evil.example/login/ HTTP/1.1\r\n" + HOST + CLOSE,
    "two lengths": b"POST /language/ HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 5\r\nContent-Length: 50\r\n"
    + CLOSE
    + b"a=b&c",
    "a length and chunks": b"POST /language/ HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n"
    + CLOSE
    + b"0\r\n\r\nGET /console/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header with a space before its colon": GET + b"X-Forwarded-For : 127.0.0.1\r\n" + CLOSE,
    "a header with an underscore": GET + b"X_Forwarded_Proto: https\r\nX_Request_ID: forged-by-underscore\r\n" + CLOSE,
    "a folded header": GET + b"X-A: 1\r\n Set-Cookie: session=x\r\n" + CLOSE,
    "a method of one's own": b"G\x01T / HTTP/1.1\r\n" + HOST + CLOSE,
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64 + b"\r\n\r\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    directory = tmp_path_factory.mktemp("server")
    with FakeUserPool() as pool:
        variables = pool.environment() | {"DATABASE_URL": SqliteFiles(directory).create(), "LOG_LEVEL": "DEBUG"}
        with AppServer(variables, log=directory / "gunicorn.log", workers=1) as server:
            yield server


def answer_to(server: AppServer, request: bytes) -> str:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        received = b""
        try:
            connection.sendall(request)
            while part := connection.recv(65536):
                received += part
        except ConnectionError:  # it may hang up in the middle of what is too long
            pass
        return received.decode("latin-1")


@pytest.mark.parametrize("what", REQUESTS)
def test_what_no_browser_sends_is_refused_and_nobody_else_notices(server: AppServer, what: str) -> None:
    since = len(server.output())

    answer = answer_to(server, REQUESTS[what])

    status = answer[9:12]
    assert status in {"", "200", "302"} or status.startswith("4")
    # One answer to one request, none of it led by what the request says of hosts.
    assert answer.count("HTTP/1.1 ") <= 1
    assert "evil.example" not in answer
    assert "forged-by-underscore" not in answer
    assert "set-cookie: session=x" not in answer.lower()
    # Nor is any of it a fault of ours.
    assert '"logger": "django.request"' not in server.output(since)
    assert requests.get(f"{server.url}/healthz", timeout=20).ok
