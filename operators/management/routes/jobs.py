"""`/v1/tenants/NAME/fine_tunes` and `/evaluations`: jobs with their progress and results."""

from typing import Any

from fastapi import APIRouter

from operators.management import views
from operators.management.routes.objects import TENANT, listed, objects_of
from operators.management.service import TenantCalls
from service.application import refusals, router

Json = dict[str, Any]


def job_routes() -> APIRouter:
    routes = router()

    @routes.get(TENANT + "/fine_tunes", responses=refusals(404))
    async def fine_tunes(tenant: str, calling: TenantCalls) -> Json:
        objects, owner = await objects_of(calling, tenant)
        return listed([views.shown(item) for item in views.in_namespace(objects.fine_tunes, owner.spec.namespace)])

    @routes.get(TENANT + "/evaluations", responses=refusals(404))
    async def evaluations(tenant: str, calling: TenantCalls) -> Json:
        objects, owner = await objects_of(calling, tenant)
        return listed([views.shown(item) for item in views.in_namespace(objects.evaluations, owner.spec.namespace)])

    return routes
