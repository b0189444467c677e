"""Where the catalog comes from: a snapshot file, followed as it is replaced.

The only module of the gateway that knows where objects live. It reads; nothing in the gateway writes.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from watchfiles import awatch

from operators.api.snapshot import Snapshot
from serving.gateway.catalog import Catalog, build_catalog

logger = logging.getLogger(__name__)

# Files are replaced by rename, so one event is one whole snapshot: no need to wait for more of them.
_DEBOUNCE_MS = 20


class Discovery:
    """Holds the newest catalog. A snapshot that cannot be read leaves the last one in force."""

    def __init__(self, path: Path, on_change: Callable[[Catalog], None]) -> None:
        self._path = path
        self._on_change = on_change
        self.catalog = Catalog()
        self.synced = False

    async def run(self) -> None:
        await self._read()
        async for _ in awatch(self._path.parent, watch_filter=self._is_ours, step=_DEBOUNCE_MS, debounce=_DEBOUNCE_MS,
                              recursive=False):  # fmt: skip
            await self._read()

    def _is_ours(self, _: object, path: str) -> bool:
        return Path(path).name == self._path.name

    async def _read(self) -> None:
        try:
            snapshot = Snapshot.model_validate_json(await asyncio.to_thread(self._path.read_bytes))
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            logger.warning("snapshot %s cannot be read, the last one stays in force: %s", self._path, error)
            return
        self.catalog = build_catalog(snapshot, datetime.now(UTC))
        self.synced = True
        self._on_change(self.catalog)
