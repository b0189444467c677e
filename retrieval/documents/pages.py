"""Pages of lists: ordered by time and id, continued after or before an item."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from retrieval.errors import InvalidRequestError

T = TypeVar("T")
Place = tuple[int, str]  # microseconds since the epoch, and the id


@dataclass(frozen=True)
class Window:
    """What of a list is asked for. `after` and `before` are ids of items."""

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    has_more: bool


def page(items: Sequence[T], place: Callable[[T], Place], window: Window) -> Page[T]:
    """The part of a whole list that a window shows. Raises InvalidRequestError for a cursor that is not in the list."""
    ordered = sorted(items, key=place, reverse=window.order == "desc")
    ids = [place(item)[1] for item in ordered]
    start = _index(ids, window.after) + 1 if window.after else 0
    end = _index(ids, window.before) if window.before else len(ordered)
    left = ordered[start:end]
    if window.before and not window.after:
        return Page(left[-window.limit :], len(left) > window.limit)
    return Page(left[: window.limit], len(left) > window.limit)


def _index(ids: Sequence[str], cursor: str) -> int:
    if cursor not in ids:
        raise InvalidRequestError(f"No item with id '{cursor[:80]}' is in the list: start without a cursor.")
    return ids.index(cursor)
