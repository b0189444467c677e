"""Changes: releases, and the record of people's changes."""

from fastapi import APIRouter
from starlette.responses import Response

from console.visit import SignedIn


def routes() -> APIRouter:
    pages = APIRouter(prefix="/changes")

    @pages.get("")
    async def changes(visit: SignedIn, before: str = "") -> Response:
        window = f"?before={before}" if before.isalnum() else ""
        events, record = await visit.every(f"{visit.path}/events", f"{visit.path}/changes{window}")
        return visit.page("changes.html", events=[] if before else events["data"], record=record["data"])

    return pages
