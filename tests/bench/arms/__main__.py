"""Serves the page in-process: reads how many requests from each line, answers with what they took, as JSON."""

from __future__ import annotations

import importlib
import io
import json
import logging
import sys
import time
from typing import Any


def main(name: str, database_url: str) -> None:
    arm = importlib.import_module(f"tests.bench.arms.{name}")
    arm.configure(database_url)
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    cookie = arm.cookie()
    environ = environment(cookie)
    application = get_wsgi_application()
    serve(application, environ)
    with CaptureQueriesContext(connection) as queries:
        serve(application, environ)
    say({"cookie": cookie, "queries": [query["sql"] for query in queries.captured_queries]})
    for line in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(int(line)):
            serve(application, environ)
        say({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall})


def environment(cookie: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/bench/",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "testserver",
        "HTTP_COOKIE": cookie,
        "HTTP_ACCEPT": "text/html",
        "HTTP_ACCEPT_LANGUAGE": "en",
        "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }


def serve(application: Any, environ: dict[str, Any]) -> None:
    """Serve one request as a WSGI server does. Raise RuntimeError if it is not the page."""
    status: list[str] = []
    response = application({**environ, "wsgi.input": io.BytesIO()}, lambda line, headers, *rest: status.append(line))
    body = b"".join(response)
    response.close()
    if status[0] != "200 OK" or b"Welcome" not in body:
        raise RuntimeError(f"{status[0]}: {body[:200]!r}")


def say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
