"""GET /healthz: the process answers. GET /readyz: it has the objects. GET /, /docs, /openapi.json: what this is."""

from collections.abc import Awaitable, Callable

from serving.gateway import openapi
from serving.gateway.discovery import Source
from serving.gateway.exchange import HTML, JSON, Exchange


async def alive(exchange: Exchange) -> None:
    await exchange.respond_json({"status": "ok"})


async def about(exchange: Exchange) -> None:
    """For people who open the address in a browser."""
    await exchange.respond_json({
        "service": "Quiver, an OpenAI-compatible API",
        "base_url": "/v1",
        "docs": "/docs",
        "routes": ["/v1/models", "/v1/chat/completions", "/v1/completions", "/v1/embeddings"],
        "authentication": "Authorization: Bearer KEY",
    })  # fmt: skip


async def document(exchange: Exchange) -> None:
    await exchange.respond(200, openapi.text(), JSON)


async def page(exchange: Exchange) -> None:
    await exchange.respond(200, openapi.page().encode(), HTML)


def ready(discovery: Source) -> Callable[[Exchange], Awaitable[None]]:
    async def handler(exchange: Exchange) -> None:
        if discovery.synced:
            await exchange.respond_json({"status": "ready"})
        else:
            await exchange.respond_json({"status": "no snapshot of the objects yet"}, status=503)

    return handler
