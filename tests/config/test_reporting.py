"""What goes out to Sentry and to a collector of traces, from the app as it runs, and what does not."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from opentelemetry.sdk.trace import ReadableSpan

from config import tracing
from config.sentry import scrubbed
from tests.servers import AppServer, SqliteFiles
from tests.servers.environment import PROJECT, environment

CANARY = "canary-0f3a"
SECONDS = 20.0


class Collector:
    """Takes whatever is posted to it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Collector:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def text(self, until: str) -> str:
        """Return what came in, as text, once `until` is in it."""
        deadline = time.monotonic() + SECONDS
        while until not in (text := b"\n".join(self.bodies).decode(errors="replace")):
            if time.monotonic() > deadline:
                raise AssertionError(f"{until!r} did not come in; this did: {text[:5000]}")
            time.sleep(0.05)
        return text


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def broken_page(collector: Collector, tmp_path: Path) -> requests.Response:
    """Open the page that breaks, with a canary in everything that a browser sends."""
    variables = {
        "DATABASE_URL": SqliteFiles(tmp_path).create(),
        "DJANGO_SETTINGS_MODULE": "tests.config.breaking_settings",
        "SENTRY_DSN": f"http://key@{collector.host}/1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.host}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "LOG_LEVEL": "DEBUG",
    }
    with AppServer(variables, log=tmp_path / "gunicorn.log", workers=1) as server:
        response = requests.get(
            f"{server.url}/breaks/?code={CANARY}&state={CANARY}",
            headers={"Authorization": f"Bearer {CANARY}", "X-Canary": CANARY, "Referer": f"{server.url}/?x={CANARY}"},
            cookies={"session": CANARY, "gatehouse_browser": CANARY},
            timeout=10,
        )
        collector.text(until="ConnectionError")
        collector.text(until="GET breaks/")
        server.stop()
        assert CANARY not in server.output()
    return response


@pytest.mark.slow
def test_errors_and_traces_go_out_without_anything_that_a_browser_sent(collector: Collector, tmp_path: Path) -> None:
    response = broken_page(collector, tmp_path)

    text = collector.text(until="ConnectionError")

    assert response.status_code == 500
    assert response.headers["X-Request-ID"] in text
    assert "Nothing came of /breaks/?[removed]" in text
    assert CANARY not in text


def test_of_an_event_only_what_is_known_goes_out() -> None:
    event = {
        "event_id": "1",
        "level": "error",
        "request": {"url": f"https://app.example.com/callback/?code={CANARY}", "query_string": CANARY, "method": "GET"},
        "user": {"email": CANARY},
        "extra": {"sys.argv": [CANARY]},
        "breadcrumbs": {"values": [{"message": CANARY}]},
        "contexts": {"anything": CANARY},
        "modules": {CANARY: "1"},
        "something_new": CANARY,
        "logentry": {"message": "a %s", "params": [CANARY], "formatted": f"a /?code={CANARY}"},
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "value": f"no answer from /callback/?code={CANARY}",
                    "mechanism": {"data": CANARY},
                    "stacktrace": {"frames": [{"function": "view", "lineno": 3, "vars": {"code": CANARY}}]},
                }
            ]
        },
    }

    sent = scrubbed(event, {})

    assert CANARY not in repr(sent)
    assert sent["request"] == {"method": "GET", "url": "https://app.example.com/callback/"}
    assert sent["exception"]["values"][0]["stacktrace"]["frames"][0]["function"] == "view"


@pytest.mark.parametrize("query", ["?code=%s", "?x&code=%s", "?&code=%s", "?%s", "?a b=%s", "?a='%s'", "??code:=%s"])
@pytest.mark.parametrize("name", ["url.full", "http.url", "http.target", "url.path"])
def test_no_address_in_a_span_keeps_its_query(name: str, query: str) -> None:
    address = f"https://app.example.com/callback/{query % CANARY}"
    span = ReadableSpan(
        "GET callback/", attributes={name: address, "url.query": query % CANARY, "http.status_code": 302}
    )

    sent = tracing.scrubbed(span)

    assert CANARY not in sent.to_json()
    assert sent.attributes == {name: "https://app.example.com/callback/", "http.status_code": 302}


@pytest.mark.parametrize(
    ("variable", "value", "package", "module"),
    [
        ("SENTRY_DSN", "http://key@localhost:9/1", "sentry_sdk", "config.settings"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:9", "opentelemetry", "config.wsgi"),
    ],
)
def test_without_the_package_the_start_says_what_to_install(
    variable: str, value: str, package: str, module: str
) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import {module}"

    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=environment(**{variable: value}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert finished.returncode != 0
    assert f"{variable} is set, but" in finished.stderr
    assert "requirements-observability.txt" in finished.stderr
