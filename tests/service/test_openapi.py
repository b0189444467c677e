"""Each service serves a true description of itself: requests made from it find no undocumented answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from contract.objects import collect
from contract.snapshot import Snapshot
from service.application import application
from service.probes import Probes
from service.sockets import listening
from serving.agent.app import agent
from serving.agent.settings import Settings as AgentSettings
from serving.drift.app import create_app
from serving.drift.detector import Detector
from serving.drift.settings import Settings as DriftSettings
from serving.drift.store import Store
from serving.gateway.settings import Settings as GatewaySettings
from tests.operators import objects
from tests.service.described import TOKEN, Address, undocumented_answers
from tests.serving.gateway.running import gateway


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[str]:
    bound = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _drift(folder: Path) -> AsyncIterator[str]:
    settings = DriftSettings(token=SecretStr(TOKEN), state=folder / "state")
    detector = await asyncio.to_thread(lambda: Detector(settings, Store(settings.state), clock=lambda: 1.0))
    async with _served(create_app(settings, detector)) as url:
        yield url


@asynccontextmanager
async def _agent(folder: Path) -> AsyncIterator[str]:
    """Without an engine: it reports that."""
    settings = AgentSettings(
        token=SecretStr(TOKEN), store=folder / "store", engine_url="http://127.0.0.1:1",
        engine_api_key=SecretStr("e"), base_model="base", base_source="org/base", max_rank=16,
    )  # fmt: skip
    async with agent(settings) as app, _served(app) as url:
        yield url


@asynccontextmanager
async def _operator(folder: Path) -> AsyncIterator[str]:
    async def ready() -> str:
        return "the caches are not full yet"

    probes = Probes(CollectorRegistry(), ready)
    async with _served(application("Operator", [], tokens=None, metrics_tokens=None, probes=probes)) as url:
        yield url


def _gateway(*, internal: bool) -> Address:
    @asynccontextmanager
    async def address(folder: Path) -> AsyncIterator[str]:
        snapshot = Snapshot(generation=1, objects=collect((objects.base_model(), objects.tenant())))
        file = folder / "snapshot.json"
        await asyncio.to_thread(file.write_text, snapshot.model_dump_json(by_alias=True))
        settings = GatewaySettings(snapshot=file, internal_token=SecretStr(TOKEN), engine_api_key=SecretStr("e"))
        async with gateway(settings) as running:
            yield running.internal_url if internal else running.url

    return address


SERVICES: dict[str, Address] = {
    "drift": _drift,
    "agent": _agent,
    "operator": _operator,
    "gateway": _gateway(internal=False),
    "gateway, internal": _gateway(internal=True),
}


@pytest.mark.parametrize("service", SERVICES)
def test_no_request_made_from_the_description_gets_an_undocumented_answer(service: str, tmp_path: Path) -> None:
    assert undocumented_answers(SERVICES[service], tmp_path) == []
