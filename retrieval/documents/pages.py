"""Pages of lists, in the order of ids, continued after or before one.

The order of ids needs no record of the last one, so a list may be read while its items come and go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Window:
    """The wanted part of a list. `after` and `before` are ids."""

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None

    @property
    def floor(self) -> str | None:
        """Shown ids are larger."""
        return self.after if self.order == "asc" else self.before

    @property
    def ceiling(self) -> str | None:
        """Shown ids are smaller."""
        return self.before if self.order == "asc" else self.after

    @property
    def is_backward(self) -> bool:
        """True for the items just before one, instead of those after one or at the beginning."""
        return self.before is not None and self.after is None

    @property
    def is_rising(self) -> bool:
        """True if items are taken in rising order of ids."""
        return (self.order == "asc") != self.is_backward

    def without_prefix(self, prefix: str) -> "Window":
        """For ids stored without their prefix."""
        after, before = (None if each is None else each.removeprefix(prefix) for each in (self.after, self.before))
        return Window(self.limit, self.order, after, before)


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    has_more: bool

    def mapped(self, change: Callable[[T], U]) -> "Page[U]":
        return Page(list(map(change, self.items)), self.has_more)


def page(items: Sequence[T], id_of: Callable[[T], str], window: Window) -> Page[T]:
    """Of a list in memory."""
    chosen = [item for item in items if _is_within(id_of(item), window)]
    return _cut(sorted(chosen, key=id_of, reverse=not window.is_rising), window)


def windowed(connection: Connection, query: Select[Any], column: ColumnElement[str], window: Window) -> Page[Row[Any]]:
    """Of a query's rows, with their ids in the column."""
    if window.floor is not None:
        query = query.where(column > window.floor)
    if window.ceiling is not None:
        query = query.where(column < window.ceiling)
    order = column.asc() if window.is_rising else column.desc()
    return _cut(connection.execute(query.order_by(order).limit(window.limit + 1)).all(), window)


def _is_within(item_id: str, window: Window) -> bool:
    above = window.floor is None or item_id > window.floor
    return above and (window.ceiling is None or item_id < window.ceiling)


def _cut(taken: Sequence[T], window: Window) -> Page[T]:
    shown = taken[: window.limit]
    return Page(shown[::-1] if window.is_backward else shown, len(taken) > window.limit)
