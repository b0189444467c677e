"""The parameters of lists."""

from typing import Annotated, Literal

from fastapi import Query

from retrieval.documents.pages import Window

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=80)]


def window(
    limit: Limit = 20, order: Literal["asc", "desc"] = "desc", after: Cursor = None, before: Cursor = None
) -> Window:
    return Window(limit, order, after, before)
