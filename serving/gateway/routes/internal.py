"""What names every tenant, and is therefore answered on the internal port only."""

import asyncio
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from contract.gateway import GatewayState
from service.tokens import Tokens
from serving.gateway.comparisons import Comparisons
from serving.gateway.discovery import Source
from serving.gateway.errors import Unauthenticated
from serving.gateway.exchange import JSON, Exchange
from serving.gateway.forwarding import Forwarder
from serving.gateway.metrics import Metrics


def metrics(source: Metrics, token: str) -> Callable[[Exchange], Awaitable[None]]:
    """Open where there is no token."""
    tokens = Tokens(token) if token else None

    async def handler(exchange: Exchange) -> None:
        if tokens and not tokens.accept(exchange.header("authorization")):
            raise Unauthenticated("Metrics name every tenant; send the token for metrics.", code="invalid_token")
        text = await asyncio.to_thread(generate_latest, source.registry)  # a thousand tenants take seconds
        await exchange.respond(200, text, {"content-type": CONTENT_TYPE_LATEST})

    return handler


def state(
    forwarder: Forwarder, discovery: Source, comparisons: Comparisons, token: str
) -> Callable[[Exchange], Awaitable[None]]:
    """GET /v1/state: what the operator waits for before a version may leave an engine."""
    tokens = Tokens(token)

    async def handler(exchange: Exchange) -> None:
        if not tokens.accept(exchange.header("authorization")):
            raise Unauthenticated("The gateway's state is for its operator; send its token.", code="invalid_token")
        catalog = discovery.catalog
        found = GatewayState(
            generation=catalog.generation,
            flips=catalog.flips,
            routable=catalog.routable,
            in_flight=forwarder.versions.counts(),
            comparisons=comparisons.found,
        )
        await exchange.respond(200, found.model_dump_json(by_alias=True).encode(), JSON)

    return handler
