"""The catalog of a cluster, built from objects that are watched through the API server. Read-only.

While the API server is unreachable, the last catalog stays in force.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from contract.adapter_slice import AdapterSlice
from contract.objects import AnyObject, collect, parse_stored
from contract.snapshot import Snapshot
from contract.value import compacted
from kube.client import Client, Item, connect
from kube.informer import Informer
from kube.resource import ADAPTER_SLICES, OURS, Resource
from serving.gateway.catalog import Catalog, TenantEntries, build_catalog

# A gateway needs nothing of jobs.
_KINDS = frozenset({"BaseModel", "Tenant", "Adapter", "KnowledgeBase", "APIKey"})

T = TypeVar("T")

logger = logging.getLogger(__name__)


class ClusterDiscovery:
    """Holds the newest catalog. Changes during a build are combined into the next one."""

    def __init__(self, kubeconfig: Path | None, on_change: Callable[[Catalog], None]) -> None:
        self._kubeconfig = kubeconfig
        self._on_change = on_change
        self._news = asyncio.Event()
        self._entries = TenantEntries()
        self.catalog = Catalog()
        self.synced = False

    async def run(self) -> None:
        """Runs until cancelled."""
        async with connect(self._kubeconfig) as client, asyncio.TaskGroup() as group:
            objects = [self._informer(client, resource, _parsed) for resource in OURS if resource.kind in _KINDS]
            slices = self._informer(client, ADAPTER_SLICES, AdapterSlice.from_data)
            followed: tuple[Informer[AnyObject] | Informer[AdapterSlice], ...] = (*objects, slices)
            for informer in followed:
                group.create_task(informer.run())
            for informer in followed:
                await informer.synced.wait()
            self._news.set()
            await self._build_for_ever(lambda: _read(objects, slices))

    def _informer(self, client: Client, resource: Resource, read: Callable[[Item], T]) -> Informer[T]:
        return Informer(client, resource, read=read, on_change=lambda *_: self._news.set())

    async def _build_for_ever(self, read: Callable[[], "_Read"]) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                catalog = await asyncio.to_thread(_built, read(), self.catalog.generation + 1, self._entries)
                self._on_change(catalog)
            except Exception:
                logger.exception("cannot build a catalog from the objects; the last one stays in force")
                continue
            self.catalog = catalog
            self.synced = True


class _Read(NamedTuple):
    """What is followed, at one moment."""

    objects: Sequence[AnyObject]
    slices: tuple[AdapterSlice, ...]


def _parsed(data: Item) -> AnyObject:
    return compacted(parse_stored(data))


def _read(objects: Sequence[Informer[AnyObject]], slices: Informer[AdapterSlice]) -> _Read:
    return _Read([item for each in objects for item in each.objects.values()], tuple(slices.objects.values()))


def _built(read: _Read, generation: int, entries: TenantEntries) -> Catalog:
    """Called in a thread: many objects take long, and the event loop must keep streaming."""
    snapshot = Snapshot.model_construct(
        generation=generation, objects=collect(read.objects), adapter_slices=read.slices
    )
    return build_catalog(snapshot, datetime.now(UTC), entries)
