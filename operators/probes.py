"""The operator's own probes and metrics."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from operators.cluster.operator import Operator
from service.application import application
from service.probes import Probes
from service.server import serving


async def serve(operator: Operator, registry: CollectorRegistry, *, host: str, port: int) -> None:
    """Until a signal to stop. Raises OSError if the port is used."""
    await serving(probes(operator, registry), host=host, port=port)


def probes(operator: Operator, registry: CollectorRegistry) -> FastAPI:
    """A standby is ready too: its caches are full, and it can take over."""

    async def ready() -> str:
        return "" if operator.synced else "the caches are not full yet"

    return application("Quiver operator", [], tokens=None, metrics_tokens=None, probes=Probes(registry, ready))
