"""Pages found by a key instead of an offset: as quick far down the list as at its top, and steady while rows come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

PAGE_SIZE = 50
# How many rows are looked through for those that fit: a page must not wait for a million of them.
MOST_LOOKED_AT = 3000
CHUNK = 500
Row = TypeVar("Row", bound=Model)


def moment(text: str) -> datetime:
    """Read a moment as `_cursor` wrote it. Raise ValueError if it is none, or out of a database's reach."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, and the cursor that leads to those after them; empty on the last page.

    `looked_at` is the number of rows that were looked through if that did not fill the page: more may come further
    down. Otherwise it is 0.
    """

    rows: list[Row]
    next_cursor: str
    is_first: bool
    looked_at: int = 0


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

    def page(
        self, rows: QuerySet[Row], cursor: str, size: int = PAGE_SIZE, *, among: QuerySet[Row] | None = None
    ) -> Page[Row]:
        """Return the page after `cursor`; the first one if it is empty or none of ours.

        `among` are rows that an index finds in this order, `rows` being those of them that fit: then no more than
        MOST_LOOKED_AT of them are looked through.
        """
        try:
            after = self._after(cursor)
        except ValueError:
            cursor, after = "", Q()
        edge = None if among is None else self._edge(among.filter(after))
        within = after & self._up_to(*edge) if edge else after
        found = list(self.ordered(rows).filter(within)[: size + 1])
        if len(found) > size:
            last = found[size - 1]
            following = self._cursor(getattr(last, self.column), getattr(last, self.unique))
            return Page(found[:size], following, is_first=not cursor)
        if edge:
            return Page(found, self._cursor(*edge), is_first=not cursor, looked_at=MOST_LOOKED_AT)
        return Page(found, "", is_first=not cursor)

    def walk(self, rows: QuerySet[Row], *, among: QuerySet[Row] | None = None) -> Iterator[Row]:
        """Yield all rows, page by page: neither a sort nor a long transaction stands before the first of them."""
        cursor = ""
        while True:
            page = self.page(rows, cursor, CHUNK, among=among)
            yield from page.rows
            if not page.next_cursor:
                return
            cursor = page.next_cursor

    def _edge(self, among: QuerySet[Row]) -> tuple[Any, Any] | None:
        """Return the values of the last row to look at; None if that is the last row there is."""
        values = self.ordered(among).values_list(self.column, self.unique)
        return next(iter(values[MOST_LOOKED_AT - 1 : MOST_LOOKED_AT]), None)

    def _after(self, cursor: str) -> Q:
        """Return the condition for coming after a cursor."""
        if not cursor:
            return Q()
        value, _, unique = cursor.rpartition("~")
        if "\0" in cursor:
            raise ValueError("no cursor of ours")
        beyond = "lt" if self.descending else "gt"
        return self._beyond(beyond, self.parse(value), **{f"{self.unique}__{beyond}": self.parse_unique(unique)})

    def _up_to(self, value: Any, unique: Any) -> Q:
        """Return the condition for coming no later than a row."""
        before = "gt" if self.descending else "lt"
        return self._beyond(before, value, **{f"{self.unique}__{before}e": unique})

    def _beyond(self, side: str, value: Any, **or_unique: Any) -> Q:
        """Say on which side of a row others are, in a form that lets an index find the place."""
        return Q(**{f"{self.column}__{side}e": value}) & (Q(**{f"{self.column}__{side}": value}) | Q(**or_unique))

    def _cursor(self, value: Any, unique: Any) -> str:
        return f"{value.isoformat() if isinstance(value, datetime) else value}~{unique}"
