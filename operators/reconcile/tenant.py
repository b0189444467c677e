"""Verdicts → the status of tenants and keys (pure)."""

from contract import conditions as c
from contract.api_key import APIKey
from contract.conditions import Condition, condition
from contract.objects import Objects
from contract.resource import Status
from contract.tenant import Tenant, TenantStatus


def tenant_status(tenant: Tenant, *, verdict: Condition, objects: Objects, now: str) -> TenantStatus:
    adapters = sum(a.namespace == tenant.spec.namespace for a in objects.adapters) if verdict.holds else 0
    new = (verdict, condition(c.READY, verdict.holds, verdict.reason, verdict.message))
    merged = c.merged(tenant.status.conditions, new, generation=tenant.metadata.generation, now=now)
    namespace = tenant.spec.namespace if verdict.holds else None
    return TenantStatus(namespace=namespace, adapters=adapters, conditions=merged)


def key_status(key: APIKey, *, verdict: Condition, now: str) -> Status:
    new = (verdict, condition(c.READY, verdict.holds, verdict.reason, verdict.message))
    return Status(conditions=c.merged(key.status.conditions, new, generation=key.metadata.generation, now=now))
