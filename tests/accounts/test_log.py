from __future__ import annotations

import json
import logging
import sys

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.log import (
    JsonFormatter,
    LineFormatter,
    RequestIdFilter,
    current_request_id,
    name_session,
    request_id_in_log,
    without_queries,
)

LINE = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


def record(message: str, *args: object, **attributes: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "accounts.refresh", "levelname": "INFO", "msg": message, "args": args, "created": 0.0, **attributes}
    )
    RequestIdFilter().filter(made)
    return made


def test_json_says_when_what_and_for_whom() -> None:
    with request_id_in_log("request-1"):
        name_session("session-1")
        line = JsonFormatter().format(record("hello %s", "you", fields={"status": 200}))

    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "INFO",
        "logger": "accounts.refresh",
        "event": "hello you",
        "request_id": "request-1",
        "session": "session-1",
        "status": 200,
    }


def test_outside_a_request_json_names_none() -> None:
    line = json.loads(JsonFormatter().format(record("hello")))

    assert not {"request_id", "session"} & line.keys()


def test_a_session_named_in_one_request_is_not_in_the_next() -> None:
    with request_id_in_log("request-1"):
        name_session("session-1")
    with request_id_in_log("request-2"):
        line = json.loads(JsonFormatter().format(record("hello")))

    assert "session" not in line
    assert current_request_id() == ""


def test_a_session_named_outside_a_request_is_named_nowhere() -> None:
    name_session("session-1")

    assert "session" not in json.loads(JsonFormatter().format(record("hello")))


def test_json_is_one_line_whatever_the_message_has_in_it() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        line = JsonFormatter().format(record("a\nb", exc_info=sys.exc_info()))

    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: first\nsecond")


def test_an_exception_is_told_without_local_variables() -> None:
    secret = "-".join(["canary", "in", "a", "variable"])
    try:
        raise ValueError(f"{len(secret)} characters")
    except ValueError:
        line = JsonFormatter().format(record("failed", exc_info=sys.exc_info()))

    assert "raise ValueError" in line
    assert secret not in line


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter(LINE)])
def test_addresses_lose_their_query(formatter: logging.Formatter) -> None:
    query = "?state=canary&code=canary"
    try:
        raise ValueError(f"no answer from https://app.example.com/callback/{query}")
    except ValueError:
        failed = record("Error handling request %s", f"/callback/{query}", exc_info=sys.exc_info())

    line = formatter.format(failed)

    assert "no answer from https://app.example.com/callback/?[removed]" in line
    assert "=canary" not in line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /callback/?code=abc&state=d%20e HTTP/1.1", "GET /callback/?[removed] HTTP/1.1"),
        ('"https://a.example/?next=/x/" failed', '"https://a.example/?[removed]" failed'),
        ("GET /callback/?x&code=SECRET", "GET /callback/?x&[removed]"),
        ("GET /callback/?&code=SECRET", "GET /callback/?&[removed]"),
        ("GET /callback/?code:=1&code=SECRET", "GET /callback/?[removed]"),
        ("GET /callback/??code=SECRET&x", "GET /callback/??[removed]"),
        ("GET /callback/?a b=1&code=SECRET x", "GET /callback/?a b=1&[removed] x"),
        ("GET /callback/?a='b'&amp;code=SECRET", "GET /callback/?[removed]'b'&[removed]"),
        ('GET /callback/?"&c%6fde=SECRET&x', 'GET /callback/?"&[removed]'),
        ("Why? Because.", "Why? Because."),
        ("really? yes = no, x & y = z, flags &= mask", "really? yes = no, x & y = z, flags &= mask"),
        ("is it there?", "is it there?"),
    ],
)
def test_only_queries_are_removed(text: str, expected: str) -> None:
    assert without_queries(text) == expected


@pytest.mark.parametrize("noise", ["?", "&", "?a", "&a", "?&", "=", "?=", "&a=&", "a", "?a=" + "b" * 50, " ?", "?'"])
def test_a_long_text_is_read_once(noise: str) -> None:
    """Quadratic time would take minutes."""
    text = noise * (1_000_000 // len(noise))

    assert "code=SECRET" not in without_queries(f"{text}?code=SECRET")


@pytest.mark.parametrize(
    ("forged", "written"),
    [
        ("x\n2030-01-01 00:00:00 INFO accounts", "x\\n2030-01-01 00:00:00 INFO accounts"),
        ("x\r\v\x85\u2028y", "x\\r\\x0b\\x85\\u2028y"),
        ("\x1b[31m\x9b2J\u202e", "\\x1b[31m\\x9b2J\\u202e"),
        ("Grüße, 'Zoë' \\n", "Grüße, 'Zoë' \\n"),
    ],
)
def test_a_line_is_one_line_whatever_the_message_has_in_it(forged: str, written: str) -> None:
    line = LineFormatter(LINE).format(record("given up: %s", forged))

    assert line.endswith(f"given up: {written}")
    assert line.isprintable()


def test_the_traceback_below_a_line_keeps_its_lines() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        lines = LineFormatter(LINE).format(record("failed", exc_info=sys.exc_info())).splitlines()

    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: no"


def test_lines_are_in_utc() -> None:
    assert LineFormatter(LINE).format(record("hello")).startswith("1970-01-01 00:00:00")


def test_a_wrong_host_is_a_warning_of_one_line(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]

    client.get("/healthz", headers={"host": "evil.example.com"})
    client.get("/", headers={"host": "evil.example.com"})

    [record, *_] = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert "evil.example.com" in record.getMessage()
