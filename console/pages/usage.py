"""Usage and limits."""

from fastapi import APIRouter
from starlette.responses import Response

from console.visit import SignedIn


def routes() -> APIRouter:
    pages = APIRouter(prefix="/usage")

    @pages.get("")
    async def usage(visit: SignedIn) -> Response:
        shown, stores = await visit.every(f"{visit.path}/usage", "/v1/vector_stores?limit=100")
        return visit.page("usage.html", usage=shown, stores=stores["data"])

    return pages
