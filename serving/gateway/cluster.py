"""The catalog of a cluster, built from objects that are watched through the API server. Read-only.

While the API server is unreachable, the last catalog stays in force.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from contract.objects import AnyObject, collect, parse_stored
from contract.snapshot import Snapshot
from kube.client import Client, connect
from kube.informer import Informer
from kube.resource import OURS, Resource
from serving.gateway.catalog import Catalog, build_catalog

# A gateway needs nothing of jobs.
_KINDS = frozenset({"BaseModel", "Tenant", "Adapter", "KnowledgeBase", "APIKey"})

logger = logging.getLogger(__name__)


class ClusterDiscovery:
    """Holds the newest catalog. Changes during a build are combined into the next one."""

    def __init__(self, kubeconfig: Path | None, on_change: Callable[[Catalog], None]) -> None:
        self._kubeconfig = kubeconfig
        self._on_change = on_change
        self._news = asyncio.Event()
        self.catalog = Catalog()
        self.synced = False

    async def run(self) -> None:
        """Runs until cancelled."""
        async with connect(self._kubeconfig) as client, asyncio.TaskGroup() as group:
            informers = [self._informer(client, resource) for resource in OURS if resource.kind in _KINDS]
            for informer in informers:
                group.create_task(informer.run())
            for informer in informers:
                await informer.synced.wait()
            self._news.set()
            await self._build_for_ever(informers)

    def _informer(self, client: Client, resource: Resource) -> Informer[AnyObject]:
        return Informer(client, resource, read=parse_stored, on_change=lambda *_: self._news.set())

    async def _build_for_ever(self, informers: list[Informer[AnyObject]]) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            items = [item for informer in informers for item in informer.objects.values()]
            try:
                catalog = await asyncio.to_thread(_built, items, self.catalog.generation + 1)
                self._on_change(catalog)
            except Exception:
                logger.exception("cannot build a catalog from the objects; the last one stays in force")
                continue
            self.catalog = catalog
            self.synced = True


def _built(items: list[AnyObject], generation: int) -> Catalog:
    """Called in a thread: many objects take seconds, and the event loop must keep streaming."""
    return build_catalog(Snapshot.model_construct(generation=generation, objects=collect(items)), datetime.now(UTC))
