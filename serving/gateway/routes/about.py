"""GET /, /v1, /docs: a description. GET /healthz: the process answers. GET /readyz: it has a snapshot."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel
from starlette.responses import Response

from serving.gateway import openapi
from serving.gateway.discovery import Source


class About(BaseModel):
    service: str = "Quiver, an OpenAI-compatible API"
    base_url: str = "/v1"
    docs: str = "/docs"
    routes: list[str] = ["/v1/models", *openapi.POSTED, "/v1/files", "/v1/vector_stores"]
    authentication: str = "Authorization: Bearer KEY"


class Health(BaseModel):
    status: str


def routes(discovery: Source) -> APIRouter:
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    @router.get("/v1", include_in_schema=False)
    async def about() -> About:
        """For people opening the address in a browser."""
        return About()

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return HTMLResponse(
            openapi.page(request.app.openapi()), headers={"content-security-policy": "default-src 'none'"}
        )

    @router.get("/healthz")
    async def healthz() -> Health:
        """The process answers."""
        return Health(status="ok")

    @router.get("/readyz", responses={503: {"model": Health}})
    async def readyz() -> Response:
        """The process has a snapshot of the objects."""
        if discovery.synced:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "no snapshot of the objects yet"}, 503)

    return router
