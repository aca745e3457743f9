"""What no sign-in can do without, by hand: one exchange over HTTP, two signatures, and the rows that are written."""

from __future__ import annotations

import http.client
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.bench.primitives import bare_verification

WRITES: list[tuple[str, Any]] = []


def record() -> None:
    """Note what is written from now on."""
    from django.db import connection

    connection.execute_wrappers.append(_note)


def _note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
    if sql.startswith(("INSERT", "UPDATE", "DELETE")):
        WRITES.append((sql, parameters))
    return execute(sql, parameters, many, context)


def seconds() -> float:
    """Return the CPU seconds of the unavoidable parts of the sign-in that was recorded."""
    from django.db import connection, transaction

    from accounts.models import AuthorizationRequest, Session

    connection.execute_wrappers.clear()
    row = Session.objects.filter(user__isnull=False).latest("started_at")
    tokens = row.token_set()
    verifications = [bare_verification(token) for token in (tokens.access_token, tokens.id_token)]
    with transaction.atomic():
        for table in (Session, AuthorizationRequest):
            table.objects.all().delete()
        with connection.cursor() as cursor:
            start = time.process_time()
            exchange(tokens.refresh_token)
            for verify in verifications:
                verify()
            for sql, parameters in WRITES:
                cursor.execute(sql, parameters)
            took = time.process_time() - start
        transaction.set_rollback(True)
    return took


def exchange(refresh_token: str) -> None:
    """Get tokens from the token endpoint, as many and as long as those of a code: a code is good once."""
    from accounts.conf import user_pool_config

    config = user_pool_config()
    client = {"client_id": config.client_id, "client_secret": config.client_secrets[0]}
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **client}
    connection = http.client.HTTPConnection(urlsplit(config.domain).netloc)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/oauth2/token", urlencode(form), headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    if response.status != http.client.OK:
        raise RuntimeError(f"the token endpoint says {response.status}")
