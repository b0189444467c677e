"""The platform's page: what is not ready and why, base models with their room, all tenants."""

from fastapi import APIRouter
from starlette.responses import Response

from console.visit import SignedIn


def routes() -> APIRouter:
    pages = APIRouter(prefix="/platform")

    @pages.get("")
    async def platform(visit: SignedIn) -> Response:
        grafana = visit.request.app.state.settings.grafana_url
        shown, record = await visit.every("/v1/platform", "/v1/platform/changes")
        return visit.page("platform.html", platform=shown, record=record["data"], grafana=grafana)

    return pages
