"""Lists as files, streamed row by row: CSV that no spreadsheet takes for formulas, and JSON lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import StreamingHttpResponse

from accounts.models import EndedSession, Event, Session

# Where a spreadsheet may begin to calculate, open links or run commands: at the start of a cell, and wherever it splits
# one. It splits by its own separator ("," is only one of several) whatever the quotes say, and drops those.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = re.compile(r"""(?:^|(?<=[;,|\t\r\n]))(?=[ "]*[=+@\t\r\n＝＋－＠-])""")  # noqa: RUF001
Record = dict[str, Any]
SESSION_COLUMNS = (
    *("session", "person", "email", "subject", "tokens", "started_at", "last_seen_at", "idle_end", "ends_at"),
    *("ip_address", "browser", "system", "access_token_expires_at", "refresh_due_at", "refreshed_at"),
    *("refresh_failures", "refresh_error"),
)
FLAGGED_COLUMNS = (
    *("session", "person", "email", "subject", "flagged_at", "started_at", "last_seen_at", "ended_at", "tokens"),
    *("ip_address", "browser", "system"),
)
EVENT_COLUMNS = (
    *("at", "kind", "person", "email", "session", "actor", "actor_email", "reason", "detail", "ip_address"),
    "request_id",
)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_response(name: str, columns: Sequence[str], records: Iterable[Record]) -> StreamingHttpResponse:
    return _download(_csv_lines(columns, records), f"{name}.csv", "text/csv; charset=utf-8; header=present")


def json_lines_response(name: str, records: Iterable[Record]) -> StreamingHttpResponse:
    lines = (json.dumps(record, cls=DjangoJSONEncoder) + "\n" for record in records)
    return _download(lines, f"{name}.jsonl", "application/jsonl; charset=utf-8")


def session_record(row: Session, now: datetime) -> Record:
    return {
        "session": row.public_id,
        "person": row.user_id,
        "email": row.person.email,
        "subject": row.person.subject,
        "tokens": row.health(now).value,
        "started_at": row.started_at,
        "last_seen_at": row.last_seen_at,
        "idle_end": row.expire_date,
        "ends_at": row.ends_at,
        "ip_address": row.ip_address,
        "browser": row.browser,
        "system": row.system,
        "access_token_expires_at": row.access_expires_at,
        "refresh_due_at": row.refresh_due_at,
        "refreshed_at": row.refreshed_at,
        "refresh_failures": row.refresh_failures,
        "refresh_error": row.refresh_error,
    }


def flagged_record(ended: EndedSession, now: datetime) -> Record:
    return {
        "session": ended.public_id,
        "person": ended.user_id,
        "email": ended.user.email,
        "subject": ended.user.subject,
        "flagged_at": ended.flagged_at,
        "started_at": ended.started_at,
        "last_seen_at": ended.last_seen_at,
        "ended_at": ended.ended_at,
        "tokens": ended.health(now).value,
        "ip_address": ended.ip_address,
        "browser": ended.browser,
        "system": ended.system,
    }


def event_record(event: Event) -> Record:
    return {
        "at": event.at,
        "kind": event.kind,
        "person": event.user_id,
        "email": event.user.email if event.user else "",
        "session": event.session_id,
        "actor": event.actor_id,
        "actor_email": event.actor.email if event.actor else "",
        "reason": event.reason,
        "detail": event.detail,
        "ip_address": event.ip_address,
        "request_id": event.request_id,
    }


def safe_cell(value: object) -> str:
    """Return the text of a CSV cell; an apostrophe before each formula keeps a spreadsheet from calculating with it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else FORMULA.sub("'", str(value))


def _csv_lines(columns: Sequence[str], records: Iterable[Record]) -> Iterator[str]:
    writer: Any = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield writer.writerow(columns)
    for record in records:
        yield writer.writerow([safe_cell(record[column]) for column in columns])


def _download(lines: Iterator[str], filename: str, content_type: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
