"""The database of files and vector stores, with its errors in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from retrieval.errors import NoSpaceError, NotFoundError, RecordsError
from service.sql import Sql

MIGRATIONS = Path(__file__).parent / "migrations"
_NO_SPACE = ("disk is full", "No space left", "could not extend file")


class Database:
    """Every method blocks: call it off the event loop. Raises RecordsError and NoSpaceError."""

    def __init__(self, url: str) -> None:
        """Opens nothing yet: the database may start later."""
        self._sql = Sql(url, MIGRATIONS)

    @contextmanager
    def reads(self) -> Iterator[Connection]:
        with self._translated(), self._sql.reads() as connection:
            yield connection

    @contextmanager
    def writes(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block."""
        with self._translated(), self._sql.writes() as connection:
            yield connection

    def close(self) -> None:
        self._sql.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:  # another transaction deleted the store or the file
            raise NotFoundError("The vector store or the file was deleted meanwhile.") from error
        except SQLAlchemyError as error:
            cause = str(error.orig) if isinstance(error, DBAPIError) else str(error)
            where = self._sql.shown_url
            if any(sign in cause for sign in _NO_SPACE):
                raise NoSpaceError(f"The database {where} has no disk left ({cause}): free space.") from error
            message = f"The database {where} cannot be used ({' '.join(cause.split())}): check its address and password"
            raise RecordsError(f"{message}, and that it runs.") from error
