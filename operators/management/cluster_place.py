"""A cluster as the place of objects: watched through the API server, changed with the tenants' own role.

The operator binds this API's service account to that role in each tenant's namespace, and nowhere else.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from contract.adapter import Decision
from contract.adapter_slice import AdapterSlice
from contract.objects import AnyObject, Objects, collect, parse_stored, to_data
from contract.resource import Key
from contract.snapshot import Snapshot
from kube.client import Client, connect
from kube.errors import KubeError
from kube.informer import Informer
from kube.resource import ADAPTER_SLICES, BY_KIND, OURS
from operators.cluster.stored import DECISION
from operators.management.place import NOUNS, Action, Own, is_listed
from service.errors import ConflictError, InvalidRequestError, ServiceError, UnavailableError

FOLLOWED_S = 15.0
_LOOK_S = 0.05


class ClusterPlace:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._objects: list[Informer[AnyObject]] = [
            Informer(client, resource, read=parse_stored, on_change=lambda *_: None) for resource in OURS
        ]
        self._slices = Informer(client, ADAPTER_SLICES, read=AdapterSlice.from_data, on_change=lambda *_: None)

    @property
    def informers(self) -> tuple[Informer[AnyObject] | Informer[AdapterSlice], ...]:
        return (*self._objects, self._slices)

    async def snapshot(self) -> Snapshot:
        items = [item for informer in self._objects for item in informer.objects.values()]
        slices = tuple(self._slices.objects.values())
        return Snapshot.model_construct(objects=collect(items), adapter_slices=slices)

    async def add(self, item: Own) -> None:
        data = to_data(item)
        data.pop("status", None)
        try:
            await self._client.create(data)
        except KubeError as error:
            if error.conflict:
                raise ConflictError(
                    f"There is a {NOUNS[item.kind]} {item.name} already: choose another name."
                ) from error
            raise _refusal(error) from error
        await self._until(partial(is_listed, item))

    async def remove(self, item: Own) -> None:
        try:
            await self._client.delete(BY_KIND[item.kind], item.namespace, item.name)
        except KubeError as error:
            raise _refusal(error) from error
        await self._until(lambda objects: not is_listed(item, objects))

    async def decide(self, adapter: Key, action: Action, *, against: str | None, digest: str | None) -> Decision:
        try:
            decision = Decision(id=uuid.uuid4().hex, action=action, against=against, digest=digest)
        except ValidationError as error:
            raise InvalidRequestError(f"{digest} is no digest: give 6 to 64 of its hexadecimal digits.") from error
        text = decision.model_dump_json(by_alias=True, exclude_none=True)
        patch = {"metadata": {"annotations": {DECISION: text}}}
        try:
            await self._client.merge(BY_KIND["Adapter"], adapter.namespace, adapter.name, patch)
        except KubeError as error:
            raise _refusal(error) from error
        return decision

    async def _until(self, holds: Callable[[Objects], bool]) -> None:
        """Gateways follow the same events, so they are as far within moments. Raises UnavailableError."""
        deadline = time.monotonic() + FOLLOWED_S
        while not holds((await self.snapshot()).objects):
            if time.monotonic() > deadline:
                raise UnavailableError("The cluster has taken the change, and its events are late: look again.")
            await asyncio.sleep(_LOOK_S)

    @property
    def is_complete(self) -> bool:
        return all(informer.complete for informer in self.informers)

    async def fault(self) -> str:
        synced = all(informer.synced.is_set() for informer in self.informers)
        return "" if synced else "the cluster's objects are not read yet"


def _refusal(error: KubeError) -> ServiceError:
    if error.terminal:
        return InvalidRequestError(f"The cluster refuses this: {error.message}")
    return UnavailableError(f"The cluster does not answer ({error.message}): try again.")


@asynccontextmanager
async def followed(kubeconfig: Path | None) -> AsyncIterator[ClusterPlace]:
    """Follows the cluster's objects until the block is left. Raises ConfigurationError."""
    async with connect(kubeconfig) as client:
        place = ClusterPlace(client)
        tasks = [asyncio.create_task(informer.run()) for informer in place.informers]
        try:
            yield place
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
