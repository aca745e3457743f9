"""Signs people in, in-process: answers each line, a JSON order, with what came out and the CPU seconds it took.

An order is the address that a browser opens, "" for the sign-in page in a new browser, or "record" and "floor" for what
no sign-in can do without (tests/bench/arms/floor.py). The hosted UI is in another process, and so is who uses it.
"""

from __future__ import annotations

import importlib
import io
import json
import logging
import sys
import time
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from tests.bench.arms import floor
from tests.bench.arms.__main__ import environment, say


def main(name: str, database_url: str, pool: str) -> None:
    arm = importlib.import_module(f"tests.bench.arms.{name}")
    arm.configure(database_url)
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    logging.disable(logging.INFO)
    arm.use_pool(json.loads(pool))
    call_command("migrate", verbosity=0)
    browser = Browser(get_wsgi_application())
    for line in sys.stdin:
        order: str = json.loads(line)
        if order == "record":
            floor.record()
            say({})
        elif order == "floor":
            say({"cpu": floor.seconds()})
        else:
            if not order:
                browser.cookies.clear()
            say(browser.open(order or arm.LOGIN))


class Browser:
    """A browser that follows nothing; its own work is not counted."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.cookies: SimpleCookie = SimpleCookie()

    def open(self, address: str) -> dict[str, Any]:
        """Open a page and return its status, where it leads, and the CPU seconds it took."""
        parts = urlsplit(address)
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())
        environ = environment(cookie) | {"PATH_INFO": parts.path, "QUERY_STRING": parts.query}
        answer: list[Any] = []
        start = time.process_time()
        response = self.application({**environ, "wsgi.input": io.BytesIO()}, lambda *begun: answer.extend(begun))
        b"".join(response)
        response.close()
        cpu = time.process_time() - start
        for name, value in answer[1]:
            if name == "Set-Cookie":
                self.cookies.load(value)
        return {"cpu": cpu, "status": answer[0], "location": dict(answer[1]).get("Location", "")}


if __name__ == "__main__":
    main(*sys.argv[1:])
