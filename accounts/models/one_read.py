"""The one query that every request makes: a session and its person, by the session's key.

Django builds a query's SQL anew each time it is used, which is most of the work of an authenticated request. So the
statement is built once, by Django, and kept. It also serves as the request's health check of a kept connection
(CONN_HEALTH_CHECKS), for which Django would ask `SELECT 1` first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import InterfaceError, OperationalError, connections

from accounts.models.session import Session
from accounts.models.user import User

SESSION = [field.attname for field in Session._meta.concrete_fields]
USER = [field.attname for field in User._meta.concrete_fields]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with one parameter, and how the database's values become Python's: by position in the row."""

    sql: str
    converters: Sequence[tuple[int, Sequence[Callable[..., Any]], Any]]


@cache
def statement(alias: str) -> Statement:
    """Return the statement for one database, as `select_related` writes it."""
    query = Session.objects.using(alias).select_related("user").filter(pk="").query
    compiler = query.get_compiler(alias)
    sql, _parameters = compiler.as_sql()
    columns = compiler.get_converters(column for column, _sql, _name in compiler.select)
    return Statement(sql, [(position, functions, column) for position, (functions, column) in columns.items()])


def session_of(key_digest: str) -> Session | None:
    """Return the session whose key has this digest, with its person, whether its time is over or not."""
    alias = Session.objects.db
    kept, connection = statement(alias), connections[alias]
    found = _fetch(connection, kept.sql, key_digest)
    if found is None:
        return None
    values = list(found)
    for position, functions, column in kept.converters:
        for convert in functions:
            values[position] = convert(values[position], column, connection)
    row = Session.from_db(alias, SESSION, values[: len(SESSION)])
    row.user = User.from_db(alias, USER, values[len(SESSION) :]) if row.user_id else None
    return row


def _fetch(connection: Any, sql: str, key_digest: str) -> tuple[Any, ...] | None:
    """Read the row. A connection that was kept from an earlier request may be dead by now: then with a new one."""
    is_unchecked = connection.connection is not None and not connection.health_check_done
    # Django's own note that this request needs no further check.
    connection.health_check_done = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, [key_digest])
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row
    except (OperationalError, InterfaceError):
        if not is_unchecked or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return _fetch(connection, sql, key_digest)
