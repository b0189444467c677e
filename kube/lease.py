"""Leader election by a Lease that its holder renews.

As in client-go: this machine's monotonic clock measures the time since the Lease last changed, so two machines' clocks
are never compared (k8s.io/client-go/tools/leaderelection).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from kube.client import Client, Item
from kube.errors import KubeError
from kube.resource import LEASES

logger = logging.getLogger(__name__)

# A leader that has not renewed for this long may be replaced; it stops itself well before, at the deadline.
DURATION_S = 15.0
RENEW_DEADLINE_S = 10.0
PERIOD_S = 2.0
# At shutdown, the longest wait for an unresponsive server.
RELEASE_S = 3.0


class LeaseLost(Exception):
    """Another process may lead by now: stop all actions."""


class Lease:
    """`identity` is unique to this run: other processes and earlier runs have different ones."""

    def __init__(self, client: Client, namespace: str, name: str, identity: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._record: Item | None = None
        self._seen_at = 0.0

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Waits until this process leads, then runs `work` while it leads. Raises LeaseLost if it may no longer lead;
        frees the lease when the work ends or is cancelled."""
        await self._acquire()
        logger.info("leading as %s", self._identity)
        task = asyncio.ensure_future(work())
        renewal = asyncio.ensure_future(self._renew_for_ever())
        try:
            await asyncio.wait((task, renewal), return_when=asyncio.FIRST_COMPLETED)
            if renewal.done():
                renewal.result()
            await task
        finally:
            lost = renewal.done()
            task.cancel()
            renewal.cancel()
            await asyncio.gather(task, renewal, return_exceptions=True)
            if not lost:
                await self._release()

    async def _acquire(self) -> None:
        while not await self._try_to_hold():  # noqa: ASYNC110  # no event here: another process frees it
            await asyncio.sleep(PERIOD_S)

    async def _renew_for_ever(self) -> None:
        deadline = time.monotonic() + RENEW_DEADLINE_S
        while True:
            await asyncio.sleep(PERIOD_S)
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    began = time.monotonic()
                    renewed = await self._try_to_hold()
            except TimeoutError:
                renewed = False
            if renewed:
                deadline = began + RENEW_DEADLINE_S
            elif time.monotonic() >= deadline or self._is_anothers():
                raise LeaseLost(f"lease {self._namespace}/{self._name} was not renewed in time")

    async def _try_to_hold(self) -> bool:
        """Takes or renews the lease if possible. Returns whether this process holds it now. The holder writes without
        reading: another holder's write causes a conflict."""
        try:
            if not self._is_mine():
                await self._look()
            if self._is_anothers() and time.monotonic() - self._seen_at < DURATION_S:
                return False
            await self._take()
        except KubeError as error:
            if error.conflict or error.missing:
                self._record, self._seen_at = None, time.monotonic()
            else:
                logger.warning("lease %s/%s: %s", self._namespace, self._name, error)
            return False
        return True

    async def _look(self) -> None:
        try:
            lease = await self._client.get(LEASES, self._namespace, self._name)
        except KubeError as error:
            if not error.missing:
                raise
            lease = None
        if lease is None or self._record is None or _version(lease) != _version(self._record):
            self._record, self._seen_at = lease, time.monotonic()

    def _is_mine(self) -> bool:
        return self._record is not None and self._record["spec"].get("holderIdentity") == self._identity

    def _is_anothers(self) -> bool:
        holder = self._record["spec"].get("holderIdentity") if self._record else None
        return bool(holder) and holder != self._identity

    async def _take(self) -> None:
        """A conflict means another process was faster."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec: dict[str, Any] = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(DURATION_S),
            "renewTime": now,
        }
        if self._record is None:
            metadata = {"name": self._name, "namespace": self._namespace}
            item = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata}
            self._record = await self._client.create(
                {**item, "spec": {**spec, "acquireTime": now, "leaseTransitions": 0}}
            )
        else:
            old = self._record["spec"]
            mine = old.get("holderIdentity") == self._identity
            changes = {} if mine else {"acquireTime": now, "leaseTransitions": old.get("leaseTransitions", 0) + 1}
            self._record = await self._client.replace({**self._record, "spec": {**old, **spec, **changes}})
        self._seen_at = time.monotonic()

    async def _release(self) -> None:
        """Frees the lease for the next holder at once. An interrupted renewal may have succeeded, so the lease is read
        first, and left alone if another process holds it."""
        try:
            async with asyncio.timeout(RELEASE_S):
                await self._look()
                if self._record is not None and self._is_mine():
                    spec = {**self._record["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
                    await self._client.replace({**self._record, "spec": spec})
        except (KubeError, TimeoutError) as error:
            logger.info("lease %s/%s was not freed: %s", self._namespace, self._name, error)


def _version(record: Item) -> str:
    return str(record["metadata"]["resourceVersion"])
