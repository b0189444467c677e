"""`/v1/platform` and `/v1/tenants`: all tenants, for the platform's people."""

from fastapi import APIRouter

from contract.objects import to_data
from operators.management import views
from operators.management.errors import ForbiddenError
from operators.management.routes.objects import Json, listed
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
        """The tenants that the caller may see."""
        objects = (await calling.management.place.snapshot()).objects
        shown = [each for each in objects.tenants if calling.identity.tenant in (None, each.name)]
        return listed([to_data(tenant) for tenant in shown])

    return routes
