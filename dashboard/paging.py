"""Pages found by a key instead of an offset: as quick far down the list as at its top, and steady while rows come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

PAGE_SIZE = 50
Row = TypeVar("Row", bound=Model)


def moment(text: str) -> datetime:
    """Read a moment as `_cursor` wrote it. Raise ValueError if it is none, or out of a database's reach."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, and the cursor that leads to those after them; empty on the last page."""

    rows: list[Row]
    next_cursor: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order of rows: by a column, and by a unique one where that is equal.

    A cursor names the last row of a page by both values, so rows that arrive or leave meanwhile move no other row
    from one page to another.
    """

    column: str
    unique: str
    parse: Callable[[str], Any] = moment
    parse_unique: Callable[[str], Any] = UUID
    descending: bool = True

    def ordered(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        sign = "-" if self.descending else ""
        return rows.order_by(f"{sign}{self.column}", f"{sign}{self.unique}")

    def page(self, rows: QuerySet[Row], cursor: str, size: int = PAGE_SIZE) -> Page[Row]:
        """Return the page after `cursor`; the first one if it is empty or none of ours."""
        try:
            after = self._after(cursor)
        except ValueError:
            cursor, after = "", Q()
        found = list(self.ordered(rows).filter(after)[: size + 1])
        has_more = len(found) > size
        return Page(found[:size], self._cursor(found[size - 1]) if has_more else "", is_first=not cursor)

    def _after(self, cursor: str) -> Q:
        """Return the condition for coming after a cursor, in a form that lets an index find the place."""
        value_text, _, unique_text = cursor.rpartition("~")
        if "\0" in cursor:
            raise ValueError("no cursor of ours")
        value, unique = self.parse(value_text), self.parse_unique(unique_text)
        beyond = "lt" if self.descending else "gt"
        beyond_or_equal = Q(**{f"{self.column}__{beyond}e": value})
        return beyond_or_equal & (Q(**{f"{self.column}__{beyond}": value}) | Q(**{f"{self.unique}__{beyond}": unique}))

    def _cursor(self, row: Model) -> str:
        value = getattr(row, self.column)
        return f"{value.isoformat() if isinstance(value, datetime) else value}~{getattr(row, self.unique)}"
