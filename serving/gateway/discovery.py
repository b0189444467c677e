"""The catalog of one machine: read from a snapshot file again whenever the file is replaced.

Only this module and `cluster` know where objects come from. They only read them; the gateway never writes objects.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from watchfiles import awatch

from contract.snapshot_reader import SnapshotReader
from serving.gateway.catalog import Catalog, TenantEntries, build_catalog

logger = logging.getLogger(__name__)

# Files are replaced by rename, so each event means a complete snapshot: there is no need to wait for further events.
_DEBOUNCE_MS = 10
# The file is checked this often even without events, and watched again this long after a failure.
_LOOK_MS = 1000


class Source(Protocol):
    """Holds the newest catalog; `synced` is true once it has one. `run` updates the catalog until cancelled."""

    catalog: Catalog
    synced: bool

    async def run(self) -> None: ...


class Discovery:
    """Holds the newest catalog. After an unreadable snapshot the last catalog stays in force."""

    def __init__(self, path: Path, on_change: Callable[[Catalog], None]) -> None:
        self._path = path
        self._on_change = on_change
        self._identity: tuple[int, int] | None = None
        self._reader, self._entries = SnapshotReader(), TenantEntries()
        self.catalog = Catalog()
        self.synced = False

    async def run(self) -> None:
        """Runs until cancelled. A watch reports changes at once; regular checks find those that it missed."""
        while True:
            try:
                await self._read()
                async for _ in awatch(self._path.parent, watch_filter=self._is_ours, step=_DEBOUNCE_MS,
                                      debounce=_DEBOUNCE_MS, rust_timeout=_LOOK_MS, yield_on_timeout=True,
                                      recursive=False):  # fmt: skip
                    await self._read()
            except Exception:
                logger.exception("%s cannot be followed; the last catalog stays in force; trying again", self._path)
                await asyncio.sleep(_LOOK_MS / 1000)

    def _is_ours(self, _: object, path: str) -> bool:
        return Path(path).name == self._path.name

    async def _read(self) -> None:
        """Parses in a thread: many objects take seconds, and the event loop must keep streaming."""
        news = await asyncio.to_thread(self._news)
        if news is None:
            return
        self.catalog = news
        self.synced = True
        self._on_change(news)

    def _news(self) -> Catalog | None:
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if (status.st_ino, status.st_mtime_ns) == self._identity:
                    return None
                content = file.read()
            self._identity = (status.st_ino, status.st_mtime_ns)
            snapshot = self._reader.read(content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("snapshot %s cannot be read, the last one stays in force: %s", self._path, error)
            return None
        return build_catalog(snapshot, datetime.now(UTC), self._entries)
