"""Keys: list, make, revoke."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from starlette.responses import Response

from console.api import ApiError
from console.security import segment
from console.visit import SignedIn, Visit

Text = Annotated[str, Form(max_length=200)]


def routes() -> APIRouter:
    pages = APIRouter(prefix="/keys")

    @pages.get("")
    async def keys(visit: SignedIn) -> Response:
        return await _page(visit, await _models(visit))

    @pages.post("")
    async def make(
        visit: SignedIn,
        name: Text,
        scopes: Annotated[list[str] | None, Form()] = None,
        models: Annotated[list[str] | None, Form()] = None,
        days: Annotated[int | Literal[""], Form()] = "",
    ) -> Response:
        """The page shows the key, this once. Without `days` it never expires, without `models` it is for all."""
        body = {"name": name, "scopes": scopes or [], "models": models or []} | ({} if days == "" else {"days": days})
        choices = await _models(visit)
        return await _page(visit, choices, await visit.post(f"{visit.path}/keys", body))

    @pages.post("/{name}/revoke")
    async def revoke(visit: SignedIn, name: str) -> Response:
        await visit.delete(f"{visit.path}/keys/{segment(name)}")
        return visit.go("/keys", "revoked")

    return pages


async def _models(visit: Visit) -> list[str]:
    """None while the gateway is away: keys can be made and revoked without it."""
    try:
        return [each["id"] for each in (await visit.get("/v1/models"))["data"]]
    except ApiError:
        return []


async def _page(visit: Visit, models: list[str], made: object = None) -> Response:
    keys = (await visit.get(f"{visit.path}/keys"))["data"]
    return visit.page("keys.html", keys=keys, models=models, made=made)
