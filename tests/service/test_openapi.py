"""Each service serves a true description of itself: requests made from it find no undocumented answer."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from schemathesis import GenerationMode

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
from tests.serving.gateway.running import gateway

TOKEN = "a-token-of-the-tests"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ANSWER_S = 10
Address = Callable[[Path], AbstractAsyncContextManager[str]]


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
    rng = np.random.default_rng(0)
    detector = await asyncio.to_thread(lambda: Detector(settings, Store(settings.state), clock=lambda: 1.0, rng=rng))
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


@contextmanager
def _in_a_thread(address: Address, folder: Path) -> Iterator[str]:
    """The service has an event loop of its own; the test may block."""
    urls: list[str] = []
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with address(folder) as url:
            urls.append(url)
            started.set()
            while not stop.is_set():  # noqa: ASYNC110  # it is set by another thread
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        assert started.wait(30)
        yield urls[0]
    finally:
        stop.set()
        thread.join(30)


SERVICES: dict[str, Address] = {
    "drift": _drift,
    "agent": _agent,
    "operator": _operator,
    "gateway": _gateway(internal=False),
    "gateway, internal": _gateway(internal=True),
}


@pytest.mark.parametrize("service", SERVICES)
def test_no_request_made_from_the_description_gets_an_undocumented_answer(service: str, tmp_path: Path) -> None:
    with _in_a_thread(SERVICES[service], tmp_path) as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        operations = [schema[path][method] for path, methods in schema.items() for method in methods]
        assert operations
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        wrong = [fault for each, mode in itertools.product(operations, modes) for fault in _faults(each, mode, url)]
    assert not wrong


def _faults(operation: Any, mode: GenerationMode, url: str) -> list[str]:
    documented = set(operation.definition.raw["responses"])
    faults: list[str] = []

    @hypothesis.seed(1)
    @hypothesis.settings(max_examples=15, deadline=None, database=None, phases=[hypothesis.Phase.generate],
                         suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        if isinstance(case.query, dict):
            case.query.pop("wait", None)  # a long poll would take its time
        status = str(case.call(base_url=url, headers=HEADERS, timeout=ANSWER_S).status_code)
        if status not in documented | {"404", "405"} or (status.startswith("5") and status != "503"):
            faults.append(f"{case.method} {case.path}: {status}")

    with suppress(hypothesis.errors.Unsatisfiable):  # nothing can be wrong about a request without parameters
        send()
    return faults
