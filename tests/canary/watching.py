"""Every secret noted as it comes into the world, and every place where it might turn up."""

from __future__ import annotations

import logging
from collections import defaultdict
from io import StringIO
from typing import Any

from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.log import JsonFormatter, LineFormatter
from tests.canary.scanner import Scanner
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool, Person
from tests.fake_user_pool.state import SignIn
from tests.fake_user_pool.web import Request, Response

COOKIES = {
    "session": "session key",
    "gatehouse_browser": "binding of the browser",
    "gatehouse_kept_form": "binding of a kept form",
}
# What has to stand somewhere: an authorization request carries two secrets to the hosted UI, cookies are three more.
MAY_STAND = {
    "redirects to the hosted UI": {"state", "nonce"},
    "cookies": set(COOKIES.values()),
    "pages": {"typed into a form"},
}


class Evidence:
    """Secrets by kind, and texts by the place where they were found."""

    def __init__(self) -> None:
        self.secrets: dict[str, set[str]] = defaultdict(set)
        self.places: dict[str, list[str]] = defaultdict(list)

    def leaks(self) -> dict[tuple[str, str], str]:
        """Return the kinds of secrets that were found where they may not stand, with the place, and a line of it."""
        scanner = Scanner(self.secrets)
        return {
            (kind, place): line
            for place, texts in self.places.items()
            # No secret has a line end in it, and most lines of most pages are the same.
            for line in {line for text in texts for line in text.splitlines()}
            for kind in scanner.kinds_in(line) - MAY_STAND.get(place, set())
        }

    def look_at_rest(self) -> None:
        """Note what database and cache hold now."""
        self.places["database"].append(database_text())
        self.places["cache"].append(cache_text())


class WatchedPool(FakeUserPool):
    """A user pool that notes every secret it hands out or is shown."""

    def __init__(self, evidence: Evidence, **options: Any) -> None:
        super().__init__(**options)
        self.secrets = evidence.secrets
        self.secrets["client secret"].update(self.client_secrets)

    def new_code(self, *args: Any, **kwargs: Any) -> str:
        return self._note("code", super().new_code(*args, **kwargs))

    def sign_access_token(self, sign_in: SignIn) -> str:
        return self._note("access token", super().sign_access_token(sign_in))

    def sign_id_token(self, *args: Any, **kwargs: Any) -> str:
        return self._note("ID token", super().sign_id_token(*args, **kwargs))

    def _new_refresh_token(self, sign_in: SignIn) -> str:
        return self._note("refresh token", super()._new_refresh_token(sign_in))

    def answer(self, request: Request) -> Response:
        for name, sent in (("state", request.query), ("nonce", request.query), ("code_verifier", request.form)):
            if sent.get(name):
                self._note(name, sent[name])
        return super().answer(request)

    def _note(self, kind: str, secret: str) -> str:
        self.secrets[kind].add(secret)
        return secret


class WatchedBrowser(Browser):
    """A browser that notes every answer it gets, and its cookies."""

    def __init__(self, evidence: Evidence, pool: FakeUserPool, person: Person) -> None:
        super().__init__(pool, person, raise_request_exception=False)
        self.evidence = evidence

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        places = self.evidence.places
        for name, kind in COOKIES.items():
            if name in response.cookies and response.cookies[name].value:
                self.evidence.secrets[kind].add(response.cookies[name].value)
        places["cookies"].append(response.cookies.output())
        location = response.headers.get("Location", "")
        is_hosted = location.startswith(self.pool.base_url)
        places["redirects to the hosted UI" if is_hosted else "pages"].append(location)
        others = [f"{name}: {value}" for name, value in response.headers.items() if name != "Location"]
        places["pages"].append("\n".join([*others, response.getvalue().decode()]))
        return response


class Everything(logging.Handler):
    """Notes every record, written in both of the ways in which this app writes them."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(logging.DEBUG)
        self.texts = evidence.places["log"]
        self._formatters = (JsonFormatter(), LineFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(repr(record.args))
        # What there is of a query are its arguments.
        if record.name != "django.db.backends":
            self.texts += [each.format(record) for each in self._formatters]


def database_text() -> str:
    """Return every value of every column of every table."""
    values = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a table's own name
            values += [as_text(value) for row in cursor.fetchall() for value in row if value is not None]
    return "\n".join(values)


def cache_text() -> str:
    """Return every key and every value, pickled as it is, of the cache in memory."""
    return "\n".join(as_text(part) for item in cache._cache.items() for part in item)  # type: ignore[attr-defined]


def as_text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def run(evidence: Evidence, *command: str) -> None:
    """Run a command of manage.py and note what it prints."""
    printed = StringIO()
    try:
        call_command(*command, stdout=printed, stderr=printed)
    except CommandError as error:  # manage.py prints it
        printed.write(str(error))
    evidence.places["output of commands"].append(printed.getvalue())
