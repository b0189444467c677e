"""One operator process: the operator, and what probes and Prometheus ask of it.

GET /healthz   it runs
GET /readyz    its caches are full; it need not lead
GET /metrics
"""

import asyncio
import contextlib
import logging
import signal
import socket

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kube.client import connect
from kube.lease import Lease
from operators.controllers.metrics import Metrics
from operators.controllers.neighbours import Addresses
from operators.controllers.operator import Operator
from operators.desired.engine_workload import Platform
from operators.settings import OperatorSettings
from service.tokens import first

logger = logging.getLogger(__name__)

LEASE = "quiver-operator"


async def run(settings: OperatorSettings) -> None:
    """Until SIGTERM; then the lease is given back. Raises LeaseLost where somebody else may lead."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    async with connect(settings.kubeconfig, registry) as client:
        operator = Operator(
            client,
            platform=platform(settings),
            addresses=addresses(settings),
            metrics=metrics,
            documents=settings.documents,
        )
        lease = Lease(client, settings.namespace, LEASE, settings.identity)
        async with asyncio.TaskGroup() as group:
            server = _server(operator, registry, settings)
            serving = group.create_task(server.serve([socket.create_server((settings.host, settings.port))]))
            task = asyncio.ensure_future(operator.run(lease))
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
            try:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            finally:
                server.should_exit = True
                await serving


def platform(settings: OperatorSettings) -> Platform:
    return Platform(
        namespace=settings.namespace,
        engine_image=settings.engine_image,
        agent_image=settings.agent_image,
        secret=settings.secret,
        engine_python=settings.engine_python,
        engine_port=settings.engine_port,
        agent_port=settings.agent_port,
        models=settings.models,
        kserve=settings.kserve,
        pull_policy=settings.pull_policy,
        pull_secrets=settings.pull_secrets,
        node_selector=settings.node_selector,
        tolerations=settings.tolerations,
        hub_secret=settings.hub_secret,
        engine_environment=settings.engine_environment,
        agent_settings=settings.agent_settings,
        ca_config_map=settings.ca_config_map,
        service_account=settings.service_account,
        secret_revision=settings.secret_revision,
    )


def addresses(settings: OperatorSettings) -> Addresses:
    return Addresses(
        agent_token=first(settings.agent_token.get_secret_value()),
        gateway_token=first(settings.gateway_token.get_secret_value()),
        ingest_token=first(settings.ingest_token.get_secret_value()),
        drift_token=first(settings.drift_token.get_secret_value()),
        agent_port=settings.agent_port,
        gateway_port=settings.gateway_port,
        ingest_url=settings.ingest_url,
        drift_url=settings.drift_url,
    )


def _server(operator: Operator, registry: CollectorRegistry, settings: OperatorSettings) -> uvicorn.Server:
    async def ready(request: Request) -> Response:
        words = "ready" if operator.synced else "the caches are not full yet"
        return PlainTextResponse(words, 200 if operator.synced else 503)

    routes = [
        Route("/healthz", lambda request: PlainTextResponse("ok")),
        Route("/readyz", ready),
        Route("/metrics", lambda request: PlainTextResponse(generate_latest(registry))),
    ]
    config = uvicorn.Config(Starlette(routes=routes), log_config=None, access_log=False, lifespan="off")
    return _Server(config)


class _Server(uvicorn.Server):
    """Signals are the operator's."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()
