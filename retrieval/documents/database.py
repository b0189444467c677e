"""The database of records: SQLite on one machine, PostgreSQL at scale. Its schema is brought up to date at start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from retrieval.errors import NoSpaceError, NotFoundError, RecordsError

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECT_SECONDS = 5
BUSY_SECONDS = 10
_NO_SPACE = ("disk is full", "No space left", "could not extend file")


class Database:
    """Every method blocks: call it off the event loop. Raises RecordsError and NoSpaceError."""

    def __init__(self, url: str) -> None:
        """Opens nothing yet: the database may start later."""
        is_sqlite = url.startswith("sqlite")
        timeouts = {"timeout": BUSY_SECONDS} if is_sqlite else {"connect_timeout": CONNECT_SECONDS}
        self._engine = create_engine(url, connect_args=timeouts, pool_pre_ping=not is_sqlite)
        self._is_current = False
        if is_sqlite:
            event.listen(self._engine, "connect", _durable)
            event.listen(self._engine, "begin", _begin)

    @contextmanager
    def reads(self) -> Iterator[Connection]:
        with self._translated():
            self._migrate()
            with self._engine.connect() as connection:
                yield connection

    @contextmanager
    def writes(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block."""
        with self._translated():
            self._migrate()
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection

    def close(self) -> None:
        self._engine.dispose()

    def _migrate(self) -> None:
        """Once per process, at the first use."""
        if not self._is_current:
            migrate(self._engine)
            self._is_current = True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:  # another transaction deleted the store or the file
            raise NotFoundError("The vector store or the file was deleted meanwhile.") from error
        except SQLAlchemyError as error:
            cause = str(error.orig) if isinstance(error, DBAPIError) else str(error)
            where = self._engine.url.render_as_string(hide_password=True)
            if any(sign in cause for sign in _NO_SPACE):
                raise NoSpaceError(f"The database {where} has no disk left ({cause}): free space.") from error
            message = f"The database {where} cannot be used ({' '.join(cause.split())}): check its address and password"
            raise RecordsError(f"{message}, and that it runs.") from error


def migrate(engine: Engine) -> None:
    """Runs the missing migrations."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _durable(connection: Any, _record: Any) -> None:
    """A commit is on the disk when it returns. The driver begins no transactions by itself: `_begin` does."""
    connection.isolation_level = None
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """A writing transaction takes the lock at once: after a read, it could fail to get it."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
