"""One reconcile for each kind. `quiver up` and the operator of a cluster run these and no others."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from contract.resource import Key
from operators.controllers import (
    adapter,
    adapter_slices,
    api_key,
    base_model,
    evaluation,
    fine_tune,
    knowledge_base,
    tenant,
)
from operators.controllers.context import Context
from operators.controllers.events import DRIFT, INGEST, SLICES

# Reconciles an object. Returns the seconds until the next reconcile, or None to wait for a change.
Reconcile = Callable[[Key, Context, datetime], Awaitable[float | None]]


async def _push_to_ingest(_key: Key, context: Context, now: datetime) -> None:
    knowledge_base.push_to_ingest(context, now)


async def _push_to_drift(_key: Key, context: Context, now: datetime) -> None:
    knowledge_base.push_to_drift(context, now)


RECONCILES: Mapping[str, Reconcile] = {
    "BaseModel": base_model.reconcile,
    "Tenant": tenant.reconcile,
    "Adapter": adapter.reconcile,
    "KnowledgeBase": knowledge_base.reconcile,
    "FineTune": fine_tune.reconcile,
    "Evaluation": evaluation.reconcile,
    "APIKey": api_key.reconcile,
    SLICES: adapter_slices.reconcile,
    INGEST.kind: _push_to_ingest,
    DRIFT.kind: _push_to_drift,
}


def reconciler(context: Context) -> Callable[[Key], Awaitable[float | None]]:
    async def reconcile(key: Key) -> float | None:
        return await RECONCILES[key.kind](key, context, datetime.now(UTC))

    return reconcile
