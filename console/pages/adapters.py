"""Adapters: versions, trials, history; release and roll back."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.responses import Response

from console.security import segment
from console.visit import SignedIn

Digest = Annotated[str, Form(max_length=64)]


def routes() -> APIRouter:
    pages = APIRouter(prefix="/adapters")

    @pages.get("")
    async def adapters(visit: SignedIn) -> Response:
        return visit.page("adapters.html", adapters=(await visit.get(f"{visit.path}/adapters"))["data"])

    @pages.get("/{name}")
    async def adapter(visit: SignedIn, name: str) -> Response:
        item = await visit.get(f"{visit.path}/adapters/{segment(name)}")
        return visit.page("adapter.html", adapter=item)

    @pages.post("/{name}/{action}")
    async def decide(visit: SignedIn, name: str, action: str, against: Digest = "", digest: Digest = "") -> Response:
        """`against` is the version that the page showed as the active one."""
        body = {"against": against or None, "digest": digest or None}
        verb = "promote" if action == "promote" else "rollback"
        await visit.post(f"{visit.path}/adapters/{segment(name)}/{verb}", body)
        return visit.go(f"/adapters/{quote(name)}", "decided")

    return pages
