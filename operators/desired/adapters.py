"""Adapters, and what is still in use → the set of versions that an agent should hold (pure)."""

from collections.abc import Iterable, Mapping, Sequence

from operators.api.acceptance import Verdicts, owners
from operators.api.adapter import Adapter
from operators.api.agent import AgentStatus, DesiredAdapter, DesiredSet, HeldAdapter
from operators.api.gateway import GatewayState
from operators.api.objects import Objects
from operators.api.resource import Key

Revisions = Mapping[Key, str]


def desired_set(
    objects: Objects,
    *,
    base_model: str,
    verdicts: Verdicts,
    revisions: Revisions,
    held: AgentStatus | None,
    gateways: Sequence[GatewayState],
) -> DesiredSet:
    """What one replica of `base_model` should hold: what is wanted, and what is still answering somebody.

    A version leaves only once every gateway has said that no request reaches it. With no gateway to ask nothing
    is known, and nothing leaves.
    """
    wanted = tuple(_wanted(objects, base_model, verdicts, revisions))
    keep = {(item.tenant, item.adapter, item.digest) for item in wanted}
    leaving = (
        _known(item.tenant, item.adapter, item.digest, None, required=False)
        for item in in_use(held, gateways)
        if item.digest and (item.tenant, item.adapter, item.digest) not in keep
    )
    return DesiredSet(adapters=(*wanted, *dict.fromkeys(leaving)))


def in_use(held: AgentStatus | None, gateways: Sequence[GatewayState]) -> tuple[HeldAdapter, ...]:
    """Versions on a replica that a gateway may still send to, or still waits for."""
    if held is None:
        return ()
    return tuple(h for h in held.adapters if h.engine_name and not _released(h.engine_name, gateways))


def _released(name: str, gateways: Sequence[GatewayState]) -> bool:
    return bool(gateways) and all(gateway.released(name) for gateway in gateways)


def _wanted(objects: Objects, base_model: str, verdicts: Verdicts, revisions: Revisions) -> Iterable[DesiredAdapter]:
    tenants = owners(objects.tenants)
    for adapter in objects.adapters:
        active = adapter.status.active
        if active and active.base_model == base_model:
            yield _known(tenants.get(adapter.namespace, ""), adapter.name, active.digest, active.source, required=True)
        if verdicts[adapter.key].holds and adapter.spec.base_model == base_model:
            yield _candidate(adapter, tenants[adapter.namespace], revisions[adapter.key])


def _candidate(adapter: Adapter, tenant: str, revision: str) -> DesiredAdapter:
    return DesiredAdapter(
        tenant=tenant,
        adapter=adapter.name,
        source=adapter.spec.source,
        revision=revision,
        digest=adapter.spec.digest,
    )


def _known(tenant: str, adapter: str, digest: str, source: str | None, *, required: bool) -> DesiredAdapter:
    """A version that was verified before: from the agent's store, or, where that is new, from its source again."""
    return DesiredAdapter(
        tenant=tenant, adapter=adapter, source=source, revision=f"sha256:{digest}", digest=digest, required=required
    )
