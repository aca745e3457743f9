"""What a log record says beside its message, which request and which session, and how it is written."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_request: ContextVar[dict[str, str] | None] = ContextVar("request", default=None)
# The parameters of addresses, wherever these stand: in a library's message, in the text of an error. An authorization
# response has its code and its state there, as the first parameter or after whatever a stranger put before it. No name
# reaches over the start of another: so the time that a text takes grows with its length and no faster.
QUERY = re.compile(r"""([?&])[^\s"'<>=?&]+=[^\s"'<>]*""")


@contextmanager
def request_id_in_log(request_id: str) -> Iterator[None]:
    """Give `request_id` to every record logged inside the block."""
    token = _request.set({"request_id": request_id})
    try:
        yield
    finally:
        _request.reset(token)


def name_session(public_id: object) -> None:
    """Give the session's public id to every record that the request being served logs from now on."""
    about = _request.get()
    if about is not None:
        about["session"] = str(public_id)


def current_request_id() -> str:
    """Return the id of the request being served, or "" outside of one."""
    return (_request.get() or {}).get("request_id", "")


def without_queries(text: str) -> str:
    """Return a text with each address in it cut off at its first parameter."""
    return QUERY.sub(r"\1[removed]", text)


class RequestIdFilter(logging.Filter):
    """Sets `request_id` and `session` on each record, "-" where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs a request's 4xx and 5xx after the middleware has let go of it.
        request = getattr(record, "request", None)
        about = _request.get() or {}
        record.request_id = about.get("request_id") or getattr(request, "id", "-")
        record.session = about.get("session", "-")
        return True


class RefusalFilter(logging.Filter):
    """Makes a warning without a traceback of what Django logs as an error though it refused a request as it should."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
        return True


class LineFormatter(logging.Formatter):
    """Writes records for people: one line each, in UTC, and the traceback of an error below it."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        return without_queries(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line itself; a stranger's text in it neither ends it nor steers a terminal."""
        line = super().formatMessage(record)
        return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)


class JsonFormatter(logging.Formatter):
    """Writes records for machines: one JSON object on one line each, whatever the message has in it.

    Of a record's own attributes only `fields` goes in, a dict: who logs decides what is told.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": without_queries(record.getMessage()),
        }
        for name in ("request_id", "session"):
            if (value := getattr(record, name, "-")) != "-":
                line[name] = value
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0]:
            # Frames and messages, as Python prints them: no local variables.
            line["exception"] = without_queries(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)
