"""Sources → verified directories, fetched in the background."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from contract.agent import DesiredAdapter
from serving.agent.errors import AgentError, RefusedError, UnavailableError
from serving.agent.metrics import Metrics
from serving.agent.rules import PendingRules
from serving.agent.store import NO_SPACE, Store
from serving.agent.verify import made_for

logger = logging.getLogger(__name__)

# Parallel fetches of one tenant: its slow source does not delay other tenants.
FETCHES = 2

T = TypeVar("T")
Arrived = Callable[[DesiredAdapter, "str | AgentError"], None]


class Fetch(Protocol):
    """Puts the artifact's files into a directory. Raises RefusedError and UnavailableError."""

    async def fetch(self, source: str, into: Path, credentials: Mapping[str, str]) -> None: ...


class Artifacts:
    """`grace_s` is the time an unneeded version stays on disk."""

    def __init__(self, fetcher: Fetch, store: Store, rules: PendingRules, metrics: Metrics, *, grace_s: float) -> None:
        self._fetcher = fetcher
        self._store = store
        self._rules = rules
        self._metrics = metrics
        self._grace_s = grace_s
        # Digest → base model named in the version's configuration, for versions verified since the start.
        self._checked: dict[str, str] = {}
        self._unneeded_since: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[str] = set()
        self._tenant_slots: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(FETCHES))

    def engine_path(self, digest: str) -> Path:
        return self._store.engine_path(digest)

    def holds(self, digest: str) -> bool:
        return self._store.holds(digest)

    def made_for(self, digest: str | None) -> str:
        """The base model's name in a verified version's configuration."""
        return self._checked.get(digest or "", "")

    def fetch(self, item: DesiredAdapter, arrived: Arrived) -> None:
        """Begins, unless it is under way; `arrived` is called at the end."""
        folder = _place(item)
        if folder not in self._tasks:
            self._tasks[folder] = asyncio.create_task(self._fetch(item, arrived))
            self._tasks[folder].add_done_callback(lambda _: self._ended(folder))

    def cancel_except(self, desired: Iterable[DesiredAdapter]) -> None:
        """Cancels all other fetches. A directory can be used again only after its fetch has ended."""
        places = {_place(item) for item in desired}
        for folder, task in self._tasks.items():
            if folder not in places and folder not in self._ending:
                self._ending.add(folder)
                task.cancel()

    def _ended(self, folder: str) -> None:
        del self._tasks[folder]
        self._ending.discard(folder)

    async def stop(self) -> None:
        self.cancel_except(())
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def collect(self, needed: frozenset[str]) -> None:
        """Removes versions unneeded for the grace time. Adapters of equal content share one version."""
        now = time.monotonic()
        unneeded = self._store.digests - needed
        self._unneeded_since = {digest: self._unneeded_since.get(digest, now) for digest in unneeded}
        for digest, since in tuple(self._unneeded_since.items()):
            if now - since >= self._grace_s and self._unneeded_since.get(digest) == since:  # not fetched meanwhile
                await self._remove(digest)

    async def _remove(self, digest: str) -> None:
        await asyncio.to_thread(self._store.remove, digest)
        self._checked.pop(digest, None)
        logger.info("removed version %s from the store: nothing needs it", digest[:12])

    async def _fetch(self, item: DesiredAdapter, arrived: Arrived) -> None:
        try:
            arrived(item, await self._outcome(item))
        finally:
            await to_its_end(partial(self._store.discard, _place(item)))

    async def _outcome(self, item: DesiredAdapter) -> str | AgentError:
        try:
            return await self._admit(item)
        except AgentError as error:
            if error.reason == NO_SPACE:  # the disk is full: skip the grace time
                self._unneeded_since = dict.fromkeys(self._unneeded_since, float("-inf"))
            return error
        except Exception as error:
            logger.exception("fetching %s of tenant %s failed in an unforeseen way", item.adapter, item.tenant)
            return UnavailableError("FetchFailed", f"the artifact could not be read: {error!r}")

    async def _admit(self, item: DesiredAdapter) -> str:
        if item.is_verified and item.digest and await self._holds_verified(item.digest):
            return item.digest
        if item.source is None:
            raise RefusedError("NotStored", f"version {item.digest} is not in this replica's store and has no source")
        async with self._tenant_slots[item.tenant]:
            return await self._bring(item, item.source)

    async def _bring(self, item: DesiredAdapter, source: str) -> str:
        incoming = await asyncio.to_thread(self._store.incoming, _place(item))
        with self._metrics.fetch_seconds.time():
            await self._fetcher.fetch(source, incoming, dict(item.credentials))
        rules = await self._rules.get()
        with self._metrics.verify_seconds.time():
            digest = await to_its_end(partial(self._store.admit, incoming, rules, pinned=item.digest))
        await self._note(digest)
        self._unneeded_since.pop(digest, None)
        return digest

    async def _holds_verified(self, digest: str) -> bool:
        """Versions from an earlier life are verified once more: disks rot, and rules change."""
        if not self._store.holds(digest):
            return False
        if digest in self._checked:
            return True
        if not await asyncio.to_thread(self._store.check, digest, await self._rules.get()):
            return False
        await self._note(digest)
        return True

    async def _note(self, digest: str) -> None:
        self._checked[digest] = await asyncio.to_thread(made_for, self._store.path(digest))


def _place(item: DesiredAdapter) -> str:
    """One directory for each tenant, adapter and revision: tenants' read rights differ."""
    return f"{item.tenant}/{item.adapter}/{item.revision}"


async def to_its_end(work: Callable[[], T]) -> T:
    """Runs in a thread. A thread cannot be cancelled, so a cancelled caller waits: nothing else may touch its files."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        raise
