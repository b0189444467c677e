"""A database of records: SQLite on one machine, PostgreSQL at scale. Its schema is brought up to date at first use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event

CONNECT_SECONDS = 5
BUSY_SECONDS = 10


class Sql:
    """Every method blocks: call it off the event loop. Raises SQLAlchemyError."""

    def __init__(self, url: str, migrations: Path) -> None:
        """Opens nothing yet: the database may start later."""
        is_sqlite = url.startswith("sqlite")
        timeouts = {"timeout": BUSY_SECONDS} if is_sqlite else {"connect_timeout": CONNECT_SECONDS}
        self.engine = create_engine(url, connect_args=timeouts, pool_pre_ping=not is_sqlite)
        self._migrations = migrations
        self._is_current = False
        if is_sqlite:
            event.listen(self.engine, "connect", _durable)
            event.listen(self.engine, "begin", _begin)

    @property
    def shown_url(self) -> str:
        """Without the password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reads(self) -> Iterator[Connection]:
        self._migrate()
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writes(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block."""
        self._migrate()
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    def _migrate(self) -> None:
        """Once per process, at the first use."""
        if not self._is_current:
            migrate(self.engine, self._migrations)
            self._is_current = True


def migrate(engine: Engine, migrations: Path) -> None:
    """Runs the missing migrations of a folder."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
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
