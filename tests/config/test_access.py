"""One log record of each request."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.log import JsonFormatter, RequestIdFilter
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool


class Lines(logging.Handler):
    """Keeps each record as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text: list[str] = []
        self.addFilter(RequestIdFilter())
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(self.format(record))

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.text) if line["logger"] == logger]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that is logged, in JSON, with the root logger at DEBUG."""
    handler, root = Lines(), logging.getLogger()
    loggers = [root, logging.getLogger("accounts"), logging.getLogger("config")]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield handler
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    root.removeHandler(handler)


def test_a_request_is_one_line_with_what_a_log_search_asks_for(user: Browser, lines: Lines) -> None:
    response = user.get("/sessions/", headers={"X-Request-ID": "from-the-proxy-1"})

    [line] = lines.of("config.access")
    assert {name: line[name] for name in ("method", "path", "view", "status", "request_id", "session")} == {
        "method": "GET",
        "path": "/sessions/",
        "view": "sessions",
        "status": 200,
        "request_id": response["X-Request-ID"],
        "session": str(user.row.public_id),
    }
    assert line["ms"] >= 0
    assert line["time"].endswith("+00:00")


def test_the_authorization_response_is_logged_without_its_code(visitor: Browser, lines: Lines) -> None:
    location = visitor.pool.authorize(visitor.start_sign_in(), visitor.person)

    visitor.get(location)

    assert [line["path"] for line in lines.of("config.access")] == ["/login/", "/callback/"]
    assert not [line for line in lines.text if "code=" in line or "state=" in line]


def test_what_people_search_for_is_not_logged(admin: Browser, lines: Lines) -> None:
    admin.get("/console/sessions/", {"q": "uma.user@example.com"})

    assert not [line for line in lines.text if "uma.user" in line]


def test_probes_do_not_fill_the_log(client: Client, lines: Lines) -> None:
    client.get("/healthz")

    assert [line["level"] for line in lines.of("config.access")] == ["DEBUG"]


def test_a_path_cannot_forge_a_line(client: Client, pool: FakeUserPool, db: None, lines: Lines) -> None:
    client.get("/x%0a2026-11-22 00:00:00,000 INFO forged")

    [line] = lines.of("config.access")
    assert line["path"].startswith("/x\\n2026")
    assert "\n" not in line["event"]


def test_a_page_that_breaks_is_logged_too(user: Browser, lines: Lines, settings: Any) -> None:
    user.raise_request_exception = False
    settings.COGNITO_USER_POOL_ID = "malformed"

    user.get("/tokens/")

    [line] = lines.of("config.access")
    [error] = lines.of("django.request")
    assert (line["status"], line["request_id"]) == (500, error["request_id"])
    assert "ValueError" in error["exception"]
