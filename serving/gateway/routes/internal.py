"""GET /v1/state: shows whether a version still has requests; the operator checks this before it unloads the version.
The state names every tenant, and is therefore on the internal port only."""

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
        """The versions that may receive or still have requests of this gateway, and the comparisons of canaries."""
        catalog = discovery.catalog
        return GatewayState(
            generation=catalog.generation,
            flips=catalog.flips,
            routable=catalog.routable,
            in_flight=forwarder.versions.counts(),
            comparisons=comparisons.current,
        )

    return internal
