"""nginx with the configuration of `deploy/nginx`, while no app answers: what it writes down, and where it leads."""

from __future__ import annotations

import http.client
import secrets
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.parts import MissingToolError, nginx
from tests.fleet.proxy import Proxy

# What nginx cannot connect to: at level error, and at level crit.
NOT_THERE = {"nobody listens": "server 127.0.0.1:9;", "no socket": "server unix:/nowhere/gatehouse.sock;"}
PATH = "/callback/?code={code}&state=some-state"


@pytest.fixture(params=list(NOT_THERE.values()), ids=list(NOT_THERE))
def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxy]:
    try:
        nginx()
    except MissingToolError as error:
        pytest.skip(str(error))
    proxy = Proxy(tmp_path)
    try:
        proxy.start(request.param)
        yield proxy
    finally:
        proxy.kill()


def ask(proxy: Proxy, path: str, **headers: str) -> http.client.HTTPResponse:
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    return _answer(http.client.HTTPSConnection("localhost", proxy.port, timeout=10, context=context), path, headers)


def ask_plainly(proxy: Proxy, path: str, **headers: str) -> http.client.HTTPResponse:
    return _answer(http.client.HTTPConnection("127.0.0.1", proxy.plain_port, timeout=10), path, headers)


def _answer(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse()
    finally:
        connection.close()


def written(proxy: Proxy) -> str:
    """Stop nginx, which notes a request only after its answer, and return all it has written, error logs included."""
    proxy.stop()
    files = [path for path in proxy.directory.rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in files)


def test_no_log_holds_a_code_that_no_app_has_seen(proxy: Proxy) -> None:
    code = secrets.token_urlsafe()

    answer = ask(proxy, PATH.format(code=code))

    logs = written(proxy)
    assert answer.status == 502
    assert " 502 GET /callback/ " in logs
    assert code not in logs


def test_no_log_holds_the_code_of_the_page_before(proxy: Proxy) -> None:
    """The files of a problem page are asked for with that page's address in `Referer`."""
    code = secrets.token_urlsafe()

    ask(proxy, "/static/css/gatehouse.css", Referer=proxy.site_url + PATH.format(code=code))

    logs = written(proxy)
    assert " 502 GET /static/css/gatehouse.css " in logs
    assert code not in logs


def test_plain_http_leads_to_the_sites_own_name(proxy: Proxy) -> None:
    answer = ask_plainly(proxy, "/sessions/?page=2", Host="evil.example")

    assert answer.status == 308
    assert answer.getheader("Location") == "https://localhost/sessions/?page=2"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost.evil.example", "localhost@evil.example"])
def test_a_request_for_another_name_goes_nowhere(proxy: Proxy, host: str) -> None:
    answer = ask(proxy, "/", Host=host)

    assert answer.status in {400, 421}
