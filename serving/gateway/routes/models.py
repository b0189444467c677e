"""GET /v1/models and /v1/models/NAME: the names that this key may write in `model`."""

from collections.abc import Awaitable, Callable
from typing import Any

from serving.gateway.catalog import Catalog, Principal, Target
from serving.gateway.discovery import Source
from serving.gateway.errors import model_not_found
from serving.gateway.exchange import Exchange
from serving.gateway.forwarding import Forwarder

PREFIX = "/v1/models/"
# The route of one model. Clients write the slashes of a name as they are or escaped; both arrive here as slashes.
ONE = PREFIX + "{name}"


def listing(forwarder: Forwarder, discovery: Source, *, embedder: str | None) -> Callable[[Exchange], Awaitable[None]]:
    """`embedder` is the name that embeddings are asked of, where there are any."""

    async def handler(exchange: Exchange) -> None:
        principal = forwarder.principal(exchange)
        exchange.headers |= forwarder.limits(principal.tenant)
        cards = _cards(discovery.catalog, principal, embedder)
        await exchange.respond_json({"object": "list", "data": cards})

    return handler


def one(forwarder: Forwarder, discovery: Source, *, embedder: str | None) -> Callable[[Exchange], Awaitable[None]]:
    async def handler(exchange: Exchange) -> None:
        principal = forwarder.principal(exchange)
        exchange.headers |= forwarder.limits(principal.tenant)
        cards = _cards(discovery.catalog, principal, embedder)
        name = exchange.path.removeprefix(PREFIX)
        card = next((card for card in cards if card["id"] == name), None)
        if card is None:
            raise model_not_found(name)
        await exchange.respond_json(card)

    return handler


def _cards(catalog: Catalog, principal: Principal, embedder: str | None) -> list[dict[str, Any]]:
    cards = [_card(target, catalog) for target in _targets(catalog, principal)]
    if embedder and principal.may_use(embedder):
        cards.append(
            {"id": embedder, "object": "model", "created": 0, "owned_by": "quiver", "parent": None, "ready": True}
        )
    return cards


def _targets(catalog: Catalog, principal: Principal) -> list[Target]:
    targets = catalog.tenants[principal.tenant].targets.values()
    return [target for target in targets if principal.may_use(target.name)]


def _card(target: Target, catalog: Catalog) -> dict[str, Any]:
    """OpenAI's fields, and whether an engine can answer now. `created` is not known of a version, and OpenAI's clients
    want a number."""
    parent = None if target.name == target.base_model else target.base_model
    return {
        "id": target.name,
        "object": "model",
        "created": 0,
        "owned_by": target.tenant,
        "parent": parent,
        "ready": bool(catalog.holders(target)),
    }
