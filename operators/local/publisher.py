"""Publishes the snapshot for gateways and people, after writing the record."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress

from contract.objects import collect
from contract.snapshot import Snapshot
from operators.controllers.cache import ClusterCache
from operators.local import snapshots
from operators.local.layout import Layout
from operators.local.record import Record
from operators.local.store import DirectoryStore

logger = logging.getLogger(__name__)

# A removed snapshot is noticed within this time.
CHECK_S = 5.0
# Seconds before the next try after a failed write.
RETRY_S = 1.0
# Changes within this time are published together, or within the time that the last snapshot took: large ones are
# written, and read by gateways, less often.
COALESCE_S = 0.005


class Publisher:
    """`on_snapshot` is called with every published snapshot."""

    def __init__(
        self,
        layout: Layout,
        record: Record,
        store: DirectoryStore,
        cache: ClusterCache,
        on_snapshot: Callable[[Snapshot], None],
    ) -> None:
        self._layout = layout
        self._record = record
        self._store = store
        self._cache = cache
        self._on_snapshot = on_snapshot
        self._published: Snapshot | None = None
        self._took_s = 0.0

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await self._store.changed.wait()
            await asyncio.sleep(max(COALESCE_S, self._took_s))
            self._store.changed.clear()
            begun = time.monotonic()
            is_published = await self._publish()
            self._took_s = time.monotonic() - begun
            if not is_published:
                self._store.changed.set()
                await asyncio.sleep(RETRY_S)

    async def _publish(self) -> bool:
        """Writes the record first, so published state is never lost. Returns False on failure."""
        objects = collect(stored.item for stored in self._cache.objects.values())
        problems, statuses = self._store.contents.problems, self._store.statuses
        slices = tuple(stored.item for stored in self._cache.slices.stored.values())
        news = Snapshot(generation=self._record.generation, objects=objects, adapter_slices=slices, problems=problems)
        if news == self._published:
            await self._restore(self._published)
            return True
        snapshot = news.model_copy(update={"generation": self._record.generation + 1})
        try:
            await asyncio.to_thread(self._record.write, statuses, snapshot.generation)
            await asyncio.to_thread(snapshots.write, self._layout.snapshot, snapshot)
        except (OSError, sqlite3.Error) as error:
            logger.error("%s cannot be written, gateways keep the last snapshot: %s", self._layout.state, error)
            return False
        self._published, self._cache.published = snapshot, snapshot.generation
        self._on_snapshot(snapshot)
        return True

    async def _restore(self, snapshot: Snapshot) -> None:
        """Rewrites a removed or damaged snapshot, because starting gateways need it."""
        if await asyncio.to_thread(snapshots.is_intact, self._layout.snapshot):
            return
        logger.error("%s was removed or damaged, and is written again", self._layout.snapshot)
        with suppress(OSError):
            await asyncio.to_thread(snapshots.write, self._layout.snapshot, snapshot)
