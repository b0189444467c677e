"""A current copy of a kind's objects: a list, then a watch from the list's version, without end.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from kube.client import Client, Item
from kube.errors import GoneError, KubeError
from kube.resource import Resource
from service.backoff import Backoff

logger = logging.getLogger(__name__)

T = TypeVar("T")

BACKOFF = Backoff(first_s=0.2, last_s=30.0)
# A stream that lasted this long was healthy: the first delay applies again.
WELL_S = 30.0

# Namespace and name; the namespace of a cluster-scoped object is empty.
Place = tuple[str, str]


class Informer(Generic[T]):
    """`read` turns an object into a value, or None to skip it; if it raises, the last value is kept. `on_change` gets
    every change: the value before and the value after, None for a missing one.

    If the server does not know an `optional` kind, the kind counts as empty. With `cached_first` the first list may be
    as old as the server's cache, and is faster: for readers whose writes name the version that they have read.

    While the server is unreachable, `objects` keeps the last state.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        read: Callable[[Item], T | None],
        on_change: Callable[[T | None, T | None], None],
        namespace: str | None = None,
        selector: str = "",
        optional: bool = False,
        cached_first: bool = False,
    ) -> None:
        self._client = client
        self._resource = resource
        self._read = read
        self._on_change = on_change
        self._namespace = namespace
        self._selector = selector
        self._optional = optional
        self._cached_first = cached_first
        self._version = ""
        self._versions: dict[Place, int] = {}
        self.objects: dict[Place, T] = {}
        self.synced = asyncio.Event()

    @property
    def complete(self) -> bool:
        """Every object of the server has a value here. An unreadable one has its last value, or none after a start."""
        return self._versions.keys() <= self.objects.keys()

    def assume(self, item: Item) -> None:
        """Applies the result of our own write before the watch delivers it. Skipped if the watch is past this version
        and the object is unknown: it was deleted since."""
        if _place(item) in self._versions or int(item["metadata"]["resourceVersion"]) > int(self._version or 0):
            self._apply_item(item)

    async def run(self) -> None:
        """Runs until cancelled."""
        tries = 1
        while True:
            began, wait, delay = time.monotonic(), 0.0, BACKOFF.delay(tries)
            try:
                await self._follow()
            except GoneError:
                self._version = ""
            except KubeError as error:
                wait = error.retry_after or 0.0
                if self._optional and error.missing:
                    self.synced.set()
                logger.warning("%s cannot be watched, retry in %.1f s: %s", self._resource.plural, delay, error)
            except Exception:
                self._version = ""
                logger.exception("%s cannot be watched, listed again in %.1f s", self._resource.plural, delay)
            if time.monotonic() - began > WELL_S:
                tries, delay = 1, BACKOFF.delay(1)
            await asyncio.sleep(max(wait, delay * random.uniform(0.5, 1.0)))  # noqa: S311
            tries += 1

    async def _follow(self) -> None:
        """Lists if needed, then applies events until the stream ends."""
        if not self._version:
            await self._list()
        where = {"namespace": self._namespace, "selector": self._selector}
        async for event in self._client.watch(self._resource, self._version, **where):  # type: ignore[arg-type]
            item = event["object"]
            if event["type"] != "BOOKMARK":
                self._apply_item(item, gone=event["type"] == "DELETED")
            self._version = item["metadata"]["resourceVersion"]

    async def _list(self) -> None:
        first = "0" if self._cached_first and not self.synced.is_set() else ""
        items, version = await self._client.list(
            self._resource, namespace=self._namespace, selector=self._selector, version=first
        )
        listed = {_place(item) for item in items}
        for name in self._versions.keys() - listed:
            self._versions.pop(name)
            self._set(name, None)
        for item in items:
            self._apply_item(item)
        self._version = version
        self.synced.set()

    def _apply_item(self, item: Item, *, gone: bool = False) -> None:
        """Ignores versions older than the known one, as before our own write: an object's versions grow (KEP-5504)."""
        name, version = _place(item), int(item["metadata"]["resourceVersion"])
        if version < self._versions.get(name, 0):
            return
        if gone:
            self._versions.pop(name, None)
            self._set(name, None)
            return
        self._versions[name] = version
        try:
            value = self._read(item)
        except Exception as error:  # one unreadable object must not stop the others
            logger.error("%s %s cannot be read, its last value is kept: %s", self._resource.kind, name, error)
            return
        self._set(name, value)

    def _set(self, name: Place, value: T | None) -> None:
        before = self.objects.get(name)
        if before == value:
            return  # also our own write, seen again by the watch: one copy stays
        if value is None:
            self.objects.pop(name, None)
        else:
            self.objects[name] = value
        self._on_change(before, value)


def _place(item: Item) -> Place:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
