"""The request id in every log record of a request."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def request_id_in_log(request_id: str) -> Iterator[None]:
    """Give `request_id` to every record logged inside the block."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def current_request_id() -> str:
    """Return the id of the request being served, or "" outside of one."""
    return _request_id.get()


class RequestIdFilter(logging.Filter):
    """Sets `request_id` on each record, "-" outside a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs a request's 4xx and 5xx after the middleware has let go of it.
        request = getattr(record, "request", None)
        record.request_id = current_request_id() or getattr(request, "id", "-")
        return True
