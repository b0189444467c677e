"""Verdicts → the status of tenants and keys (pure)."""

from datetime import datetime, timedelta

from contract import conditions as c
from contract.api_key import APIKey, APIKeyStatus
from contract.conditions import Condition, condition
from contract.objects import Objects
from contract.tenant import Tenant, TenantStatus
from operators.reconcile.training_limits import uses

# A status that changed with every request would wake everybody who watches keys.
LAST_USED = timedelta(minutes=10)


def tenant_status(
    tenant: Tenant, *, verdict: Condition, objects: Objects, drift: Condition | None, now: datetime
) -> TenantStatus:
    """`drift` is the condition of a tenant with enough evidence."""
    adapters = sum(a.namespace == tenant.spec.namespace for a in objects.adapters) if verdict.holds else 0
    ready = condition(c.READY, verdict.holds, verdict.reason, verdict.message)
    new = (verdict, ready, drift) if drift else (verdict, ready)
    merged = c.merged(tenant.status.conditions, new, generation=tenant.metadata.generation, now=c.stamp(now))
    namespace = tenant.spec.namespace if verdict.holds else None
    training = uses(tenant, objects.fine_tunes, now)
    return TenantStatus(namespace=namespace, adapters=adapters, training=training, conditions=merged)


def key_status(key: APIKey, *, verdict: Condition, used: datetime | None, now: str) -> APIKeyStatus:
    """`used` is the last use that a gateway reported."""
    new = (verdict, condition(c.READY, verdict.holds, verdict.reason, verdict.message))
    merged = c.merged(key.status.conditions, new, generation=key.metadata.generation, now=now)
    return APIKeyStatus(conditions=merged, last_used=last_used(key.status.last_used, used))


def last_used(stored: datetime | None, reported: datetime | None) -> datetime | None:
    """Advances in steps of `LAST_USED`, in whole seconds."""
    if reported is None or (stored is not None and reported < stored + LAST_USED):
        return stored
    return reported.replace(microsecond=0)
