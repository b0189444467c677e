"""Usage and limits."""

from fastapi import APIRouter
from starlette.responses import Response

from console.visit import SignedIn


def routes() -> APIRouter:
    pages = APIRouter(prefix="/usage")

    @pages.get("")
    async def usage(visit: SignedIn) -> Response:
        return visit.page("usage.html", usage=await visit.get(f"{visit.path}/usage"))

    return pages
