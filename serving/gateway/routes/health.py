"""GET /healthz: the process answers. GET /readyz: it knows whom it serves."""

from collections.abc import Awaitable, Callable

from serving.gateway.discovery import Source
from serving.gateway.exchange import Exchange


async def alive(exchange: Exchange) -> None:
    await exchange.respond_json({"status": "ok"})


def ready(discovery: Source) -> Callable[[Exchange], Awaitable[None]]:
    async def handler(exchange: Exchange) -> None:
        if discovery.synced:
            await exchange.respond_json({"status": "ready"})
        else:
            await exchange.respond_json({"status": "no snapshot of the objects yet"}, status=503)

    return handler
