"""The slices of a base model: where the versions of its adapters answer, for gateways to read."""

from collections.abc import Set
from datetime import datetime

from contract.agent import AdapterName
from contract.base_model import BaseModel
from contract.resource import Key
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.controllers.events import base_key
from operators.desired.slices import Replicas, next_slices


async def reconcile(key: Key, context: Context, now: datetime) -> float | None:
    """Writes the changes since the last time; all of it after an error."""
    cache, name = context.cache, key.name
    stored = cache.stored(base_key(name), BaseModel)
    due = cache.slices.take_due(name)
    slices = cache.slices.of_base(name)
    if stored is None:
        for slice_name in slices:
            await context.store.delete_slice(slice_name)
        return None
    try:
        for each in next_slices(name, slices, cache.slices.slice_of(name), _replicas(name, cache, due)):
            if each.spec.versions:
                await context.store.write_slice(stored, each, cache.slices.stored.get(each.name))
            else:
                await context.store.delete_slice(each.name)
    except BaseException:
        cache.slices.all_due(name)
        raise
    return None


def _replicas(base: str, cache: ClusterCache, due: Set[AdapterName] | None) -> Replicas:
    """Where each version of these adapters answers, or of all. A replica that has not reported yet, and takes
    traffic, has what is stored."""
    peers = cache.replicas(base)
    unheard = {peer.name for peer, _ in peers if peer.ready and peer.uid in cache.expected}
    stored = cache.slices.replicas(base)
    versions = stored if due is None else {version for name in due for version in cache.slices.versions(base, name)}
    replicas: dict[str, set[str]] = {version: set(stored[version] & unheard) for version in versions}
    for peer, report in peers:
        for version in report.about(due).answering if report and peer.name not in unheard else ():
            replicas.setdefault(version, set()).add(peer.name)
    return replicas
