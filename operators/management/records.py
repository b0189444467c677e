"""The database of the management API, with its errors in words."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from service.errors import UnavailableError
from service.sql import Sql

logger = logging.getLogger(__name__)

T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"
SECOND = 1_000_000  # microseconds


class Records:
    """Work runs in threads. Raises UnavailableError."""

    def __init__(self, url: str) -> None:
        self._sql = Sql(url, MIGRATIONS)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._run, work, self._sql.reads)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """In one transaction."""
        return await asyncio.to_thread(self._run, work, self._sql.writes)

    def _run(self, work: Callable[[Connection], T], block: Callable[[], AbstractContextManager[Connection]]) -> T:
        with _translated(self._sql.shown_url), block() as connection:
            return work(connection)

    def close(self) -> None:
        self._sql.close()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", error)).split())
        logger.error("the database %s cannot be used (%s): see that it runs, and has room", url, cause)
        raise UnavailableError("The database of the management API cannot be used: try again in a moment.") from error
