"""GET /v1/state: what the operator waits for before a version may leave an engine. It names every tenant, and is
therefore answered on the internal port only."""

from fastapi import APIRouter

from contract.gateway import GatewayState
from service.application import router
from serving.gateway.comparisons import Comparisons
from serving.gateway.discovery import Source
from serving.gateway.forwarding import Forwarder


def routes(forwarder: Forwarder, discovery: Source, comparisons: Comparisons) -> APIRouter:
    found = router()

    @found.get("/v1/state")
    async def state() -> GatewayState:
        """Which versions this gateway sends requests to, or still waits for."""
        catalog = discovery.catalog
        return GatewayState(
            generation=catalog.generation,
            flips=catalog.flips,
            routable=catalog.routable,
            in_flight=forwarder.versions.counts(),
            comparisons=comparisons.found,
        )

    return found
