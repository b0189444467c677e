"""`/v1/platform` and `/v1/tenants`: all tenants, for the platform's people."""

from typing import Annotated

from fastapi import APIRouter, Query

from contract.objects import to_data
from operators.management import views
from operators.management.errors import ForbiddenError
from operators.management.routes.objects import Json, listed, recorded
from operators.management.service import Calls
from service.application import refusals, router


def platform_routes() -> APIRouter:
    routes = router()

    @routes.get("/v1/platform", responses=refusals(403))
    async def platform(calling: Calls) -> Json:
        """Base models with their room, all tenants, and what is not ready, with reasons."""
        if calling.identity.tenant is not None:
            raise ForbiddenError("This shows all tenants: sign in with the platform's key.")
        return views.platform(await calling.management.place.snapshot())

    @routes.get("/v1/tenants")
    async def tenants(calling: Calls) -> Json:
        """The tenants visible to the caller."""
        objects = (await calling.management.place.snapshot()).objects
        shown = [each for each in objects.tenants if calling.identity.tenant in (None, each.name)]
        return listed([to_data(tenant) for tenant in shown])

    @routes.get("/v1/platform/changes", responses=refusals(403))
    async def changes(calling: Calls, before: Annotated[str | None, Query(max_length=64)] = None) -> Json:
        """Changes by the platform's people, and failed sign-ins of unknown people; newest first, 100 at a time."""
        if calling.identity.tenant is not None:
            raise ForbiddenError("This is the platform's record: sign in with the platform's key.")
        return listed(list(map(recorded, await calling.management.changes.of_tenant("", before))))

    return routes
