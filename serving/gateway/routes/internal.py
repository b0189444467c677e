"""GET /v1/state: shows whether a version still has requests; the operator checks this before it unloads the version.
GET /v1/key-uses and /v1/base-uses: when keys and base models were last used. They name every tenant, and are therefore
on the internal port only."""

from typing import Annotated

from fastapi import APIRouter, Query

from contract.gateway import BaseUses, GatewayState
from contract.gateway import KeyUses as Uses
from service.application import router
from serving.gateway.comparisons import Comparisons
from serving.gateway.discovery import Source
from serving.gateway.forwarding import Forwarder
from serving.gateway.key_uses import KeyUses


def routes(forwarder: Forwarder, discovery: Source, comparisons: Comparisons, uses: KeyUses) -> APIRouter:
    internal = router()

    @internal.get("/v1/state")
    async def state(
        adapter: Annotated[list[str] | None, Query(description="TENANT.ADAPTER; without any, all adapters.")] = None,
    ) -> GatewayState:
        """The versions that may receive or still have requests of this gateway, and the comparisons of canaries."""
        catalog = discovery.catalog
        routes = catalog.routes
        asked = routes if adapter is None else routes.about(adapter)
        return asked.model_copy(update={"in_flight": forwarder.versions.counts(), "comparisons": comparisons.current})

    @internal.get("/v1/key-uses")
    async def key_uses() -> Uses:
        """When each key was last used here."""
        return uses.current

    @internal.get("/v1/base-uses")
    async def base_uses() -> BaseUses:
        """When each base model was last asked for here."""
        return forwarder.base_uses.current

    return internal
