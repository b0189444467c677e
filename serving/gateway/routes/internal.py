"""GET /v1/state: the operator waits for it before a version leaves an engine. It names every tenant, and is therefore
on the internal port only."""

from fastapi import APIRouter

from contract.gateway import GatewayState
from service.application import router
from serving.gateway.comparisons import Comparisons
from serving.gateway.discovery import Source
from serving.gateway.forwarding import Forwarder


def routes(forwarder: Forwarder, discovery: Source, comparisons: Comparisons) -> APIRouter:
    internal = router()

    @internal.get("/v1/state")
    async def state() -> GatewayState:
        """The versions of this gateway with possible or running requests."""
        catalog = discovery.catalog
        return GatewayState(
            generation=catalog.generation,
            flips=catalog.flips,
            routable=catalog.routable,
            in_flight=forwarder.versions.counts(),
            comparisons=comparisons.current,
        )

    return internal
