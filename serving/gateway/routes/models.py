"""GET /v1/models: the names that this key may write in `model`."""

from collections.abc import Awaitable, Callable
from typing import Any

from serving.gateway.catalog import Catalog, Principal, Target
from serving.gateway.discovery import Source
from serving.gateway.exchange import Exchange
from serving.gateway.forwarding import Forwarder


def listing(forwarder: Forwarder, discovery: Source) -> Callable[[Exchange], Awaitable[None]]:
    async def handler(exchange: Exchange) -> None:
        principal = forwarder.principal(exchange)
        cards = [_card(target) for target in _targets(discovery.catalog, principal)]
        await exchange.respond_json({"object": "list", "data": cards})

    return handler


def _targets(catalog: Catalog, principal: Principal) -> list[Target]:
    targets = catalog.tenants[principal.tenant].targets.values()
    return [target for target in targets if principal.may_use(target.name)]


def _card(target: Target) -> dict[str, Any]:
    """OpenAI's fields. `created` is not known of a version, and OpenAI's clients want a number."""
    parent = None if target.name == target.base_model else target.base_model
    return {"id": target.name, "object": "model", "created": 0, "owned_by": target.tenant, "parent": parent}
