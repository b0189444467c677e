"""One operator process: the operator, its probes and its metrics."""

import asyncio
import gc
import importlib
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry

from kube.client import connect
from kube.lease import Lease
from operators.cluster.metrics import Metrics
from operators.cluster.operator import Operator
from operators.cluster.pod import Ports
from operators.controllers.peer_watcher import Addresses
from operators.desired.engine_workload import Platform
from operators.settings import OperatorSettings
from service.logs import LogSettings
from service.tokens import first

LEASE = "quiver-operator"
# Seconds after which an operator that does not lead serves its probes.
STANDBY_S = 2.0


# The cache has hundreds of thousands of objects that live for long. With Python's own thresholds the collector looks at
# all of them many times a second while a report of a thousand adapters is read, and doubles the time of that.
_COLLECTOR = (200_000, 50, 100)


async def run(settings: OperatorSettings) -> None:
    """Runs until SIGTERM, then gives the lease back. Raises LeaseLost if another operator could be leading."""
    gc.set_threshold(*_COLLECTOR)
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    async with connect(settings.kubeconfig, registry) as client:
        operator = Operator(
            client,
            platform=platform(settings),
            ports=Ports(settings.engine_port, settings.agent_port, settings.gateway_port),
            addresses=addresses(settings),
            metrics=metrics,
            documents=settings.documents,
            management_account=settings.management_account,
            delegation_secret=settings.delegation_secret.get_secret_value(),
            tenant_quotas=settings.tenant_quotas,
        )
        lease = Lease(client, settings.namespace, LEASE, settings.identity)
        await _until_one_ends(operator.run(lease), _serve_probes(operator, registry, settings))


async def _serve_probes(operator: Operator, registry: CollectorRegistry, settings: OperatorSettings) -> None:
    """Imports FastAPI and uvicorn, which are slow, only after the engines were told what they are to do."""
    with suppress(TimeoutError):
        async with asyncio.timeout(STANDBY_S):
            await operator.acted.wait()
    module = await asyncio.to_thread(importlib.import_module, "operators.probes")
    await module.serve(operator, registry, host=settings.host, port=settings.port)


async def _until_one_ends(*work: Coroutine[Any, Any, None]) -> None:
    """Runs all until one ends: the server on a signal, the operator when it loses its lease; then cancels the rest."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


def platform(settings: OperatorSettings) -> Platform:
    if settings.kserve:
        # Imported at the start: later, the import would block the event loop for seconds.
        importlib.import_module("operators.desired.inference_service")
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
        openshift=settings.openshift,
        pull_policy=settings.pull_policy,
        pull_secrets=settings.pull_secrets,
        node_selector=settings.node_selector,
        tolerations=settings.tolerations,
        hub_secret=settings.hub_secret,
        engine_environment=settings.engine_environment,
        agent_settings=settings.agent_settings,
        agent_environment=LogSettings().environment,
        ca_config_map=settings.ca_config_map,
        service_account=settings.service_account,
        secret_revision=settings.secret_revision,
        trainings=settings.trainings,
        trainer_image=settings.trainer_image,
        trainer_python=settings.trainer_python,
        training_priority=settings.training_priority,
        documents=settings.documents_claim,
        gateway_url=settings.gateway_url,
    )


def addresses(settings: OperatorSettings) -> Addresses:
    return Addresses(
        agent_token=first(settings.agent_token.get_secret_value()),
        gateway_token=first(settings.gateway_token.get_secret_value()),
        ingest_token=first(settings.ingest_token.get_secret_value()),
        drift_token=first(settings.drift_token.get_secret_value()),
        ingest_url=settings.ingest_url,
        drift_url=settings.drift_url,
    )
