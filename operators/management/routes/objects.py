"""`/v1/tenants/NAME`: objects with their states, limits, usage, and what has changed."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from contract.objects import Objects, to_data
from contract.tenant import Tenant
from operators.management import views
from operators.management.changes import Recorded
from operators.management.errors import NotFoundError
from operators.management.records import SECOND
from operators.management.service import Caller, TenantCalls
from service.application import refusals, router

TENANT = "/v1/tenants/{tenant}"
Json = dict[str, Any]


def listed(items: list[Json]) -> Json:
    return {"object": "list", "data": items}


def recorded(each: Recorded) -> Json:
    return {"id": each.id, "at": _stamp(each.at), **vars(each.change)}


async def objects_of(calling: Caller, name: str) -> tuple[Objects, Tenant]:
    """Raises NotFoundError."""
    objects = (await calling.management.place.snapshot()).objects
    tenant = views.tenant_named(objects, name)
    if tenant is None:
        raise NotFoundError(f"There is no tenant {name!r}.")
    return objects, tenant


def object_routes() -> APIRouter:
    routes = router()

    @routes.get(TENANT, responses=refusals(404))
    async def tenant(tenant: str, calling: TenantCalls) -> Json:
        return to_data((await objects_of(calling, tenant))[1])

    @routes.get(TENANT + "/knowledge_bases", responses=refusals(404))
    async def knowledge_bases(tenant: str, calling: TenantCalls) -> Json:
        objects, owner = await objects_of(calling, tenant)
        return listed([to_data(item) for item in views.in_namespace(objects.knowledge_bases, owner.spec.namespace)])

    @routes.get(TENANT + "/usage", responses=refusals(404))
    async def usage(tenant: str, calling: TenantCalls) -> Json:
        """The limits, and what is left of them in this minute."""
        _, owner = await objects_of(calling, tenant)
        gateway = calling.management.gateway
        left, stored = {}, {}
        if gateway and calling.identity.tenant:
            left = dict(await gateway.limits(calling.identity))
            stored = dict(await gateway.document_usage(calling.identity))
        limits = owner.spec.limits
        return {
            "object": "usage",
            "requests_per_minute": limits.requests_per_minute,
            "requests_left": _number(left.get("x-ratelimit-remaining-requests")),
            "tokens_per_minute": limits.tokens_per_minute,
            "tokens_left": _number(left.get("x-ratelimit-remaining-tokens")),
            "concurrent_requests": limits.concurrent_requests,
            "documents": owner.spec.documents.model_dump(),
            "files": stored.get("files", 0),
            "bytes": stored.get("bytes", 0),
        }

    @routes.get(TENANT + "/events", responses=refusals(404))
    async def events(tenant: str, calling: TenantCalls) -> Json:
        """The events of releases, newest first."""
        objects, owner = await objects_of(calling, tenant)
        mine = [item for item in objects.adapters if item.namespace == owner.spec.namespace]
        return listed(list(views.happenings(mine)))

    @routes.get(TENANT + "/changes", responses=refusals(403, 404))
    async def changes(
        tenant: str, calling: TenantCalls, before: Annotated[str | None, Query(max_length=64)] = None
    ) -> Json:
        """The record of changes: actor, object, time, address; newest first, 100 at a time."""
        if calling.identity.tenant is not None:
            calling.identity.require("admin")
        return listed(list(map(recorded, await calling.management.changes.of_tenant(tenant, before))))

    return routes


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _stamp(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / SECOND, UTC).isoformat(timespec="seconds")
