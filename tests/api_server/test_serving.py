"""The whole of it, but for pods: objects on a real API server, the operator, a real engine with its agent, a gateway
that reads the objects there. The test plays kubelet: a pod is ready when its agent says so."""

import asyncio
import hashlib
import os
import random
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import openai
import pytest

from benchmarks.bare_engine import BASE, HERE, KEY, BareEngine, bare_engine
from benchmarks.load import Load, load_on
from examples.demo.platform import QUIVER
from operators.local.layout import free_port
from operators.settings import Settings
from tests.api_server.parts import (
    TOKEN,
    Data,
    answers,
    free_lease,
    get,
    is_ready,
    namespace,
    operator,
    pod,
    process,
    say,
    thing,
    wait_until,
)
from tests.api_server.server import HOST, ApiServer

pytestmark = [
    pytest.mark.skipif(
        not Settings().engine_python.is_file(), reason="the engine's environment is not there: make setup"
    ),
    pytest.mark.timeout(600),
]

ADAPTERS = HERE / "models/demo/adapters"
API_KEY = "qv-acme-" + "1" * 64
FIRST, SECOND = "ecords", "Thank you for asking"
SOURCES = {FIRST: "acme-support-v1", SECOND: "acme-support-v2"}


@dataclass
class Cluster:
    """`agent_port` and `state_port` are what the operator asks; everything listens on loopback."""

    server: ApiServer
    engine: BareEngine
    folder: Path
    stack: ExitStack
    agent_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    state_port: int = field(default_factory=free_port)
    operators: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    @property
    def engine_port(self) -> int:
        return int(self.engine.url.rpartition(":")[2])

    def start_operator(self) -> None:
        """It leads at once: whoever led before is gone."""
        free_lease(self.server)
        ports: dict[str, Any] = {
            "ENGINE_PORT": self.engine_port, "AGENT_PORT": self.agent_port, "GATEWAY_PORT": self.state_port,
        }  # fmt: skip
        identity = f"serving-{len(self.operators)}"
        self.operators.append(self.stack.enter_context(operator(self.server, IDENTITY=identity, **ports)))

    def replace_operator(self) -> None:
        self.operators[-1].kill()
        self.start_operator()

    def start_agent(self) -> None:
        settings = {
            "PORT": self.agent_port, "TOKEN": TOKEN, "STORE": self.folder / "store", "ENGINE_URL": self.engine.url,
            "ENGINE_API_KEY": KEY, "BASE_MODEL": BASE, "BASE_SOURCE": HERE / "models/demo/base", "MAX_RANK": 16,
            "FILE_ROOTS": f'["{ADAPTERS}"]',
        }  # fmt: skip
        self.stack.enter_context(process("serving.agent", "QUIVER_AGENT_", settings, self.folder / "agent.log"))

    def start_gateway(self) -> None:
        settings = {
            "PORT": self.port, "INTERNAL_PORT": self.state_port, "KUBECONFIG": self.server.user("gateway"),
            "INTERNAL_TOKEN": TOKEN, "ENGINE_API_KEY": KEY,
        }  # fmt: skip
        self.stack.enter_context(process("serving.gateway", "QUIVER_GATEWAY_", settings, self.folder / "gateway.log"))
        wait_until(partial(answers, f"http://{HOST}:{self.port}/readyz"), "a gateway with a catalog")

    @asynccontextmanager
    async def load(self, model: str = "support", callers: int = 3) -> AsyncIterator[Load]:
        async with load_on(self.url, API_KEY, model=model, callers=callers) as found:
            yield found

    def point(self, marker: str, **spec: Any) -> None:
        self.server.apply(_adapter(marker, **spec))

    @property
    def status(self) -> Data:
        found: Data = (get(self.server, "adapter", "support", "acme") or {}).get("status", {})
        return found

    @property
    def acknowledged(self) -> bool:
        status = self.status
        return bool(status.get("acknowledged") == status.get("active", {}).get("generation", -1))

    def flipped(self, before: int) -> bool:
        return self.status["active"]["generation"] > before and self.acknowledged


def _adapter(marker: str, **spec: Any) -> Data:
    return thing("Adapter", "support", "acme", baseModel=BASE, source=f"file://{ADAPTERS / SOURCES[marker]}", **spec)


@pytest.fixture(scope="module")
def cluster(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("serving")
    server.apply(namespace("quiver"))
    server.apply(
        thing("BaseModel", BASE, source=f"file://{HERE / 'models/demo/base'}", tenants=["acme"],
              maxModelLength=1024, lora={"maxRank": 16}),
        thing("Tenant", "acme", namespace="acme"),
    )  # fmt: skip
    with ExitStack() as stack:
        engine = stack.enter_context(bare_engine(folder / "engine.log"))
        found = Cluster(server, engine, folder, stack)
        found.start_operator()
        wait_until(partial(is_ready, server, "tenant", "acme"), "the tenant")
        server.apply(
            thing("APIKey", "callers", "acme", sha256=hashlib.sha256(API_KEY.encode()).hexdigest()), _adapter(FIRST)
        )
        found.start_agent()
        found.start_gateway()
        pod(server, "engine-0", component="engine", base=BASE)
        say(server, "engine-0", ready=False)
        pod(server, "gateway-0", component="gateway")
        say(server, "gateway-0", ready=True)
        wait_until(partial(answers, f"http://{HOST}:{found.agent_port}/readyz"), "an agent that is ready")
        say(server, "engine-0", ready=True)
        wait_until(partial(is_ready, server, "adapter", "support", "acme"), "the adapter")
        yield found
        server.kubectl("delete", "pod", "--all", "-n", "quiver", "--force", "--grace-period=0")
        server.kubectl("delete", "tenant", "acme", "--timeout=60s")
        server.kubectl("delete", "basemodel", BASE)


async def test_a_version_is_released_under_load_and_acknowledged_and_no_request_fails(cluster: Cluster) -> None:
    async with cluster.load() as found:
        await found.reach(5, FIRST)
        for marker in (SECOND, FIRST, SECOND, FIRST):
            before = cluster.status["active"]["generation"]
            await asyncio.to_thread(cluster.point, marker)
            await asyncio.to_thread(wait_until, partial(cluster.flipped, before), marker)
            after = len(found.answers)
            now = asyncio.get_running_loop().time()
            await found.reach(sum(marker in a.text for a in found.answers) + 8, marker)
            assert [a for a in found.answers[after:] if a.began > now and marker not in a.text] == []
    assert found.failures == []


async def test_an_operator_that_is_killed_in_a_swap_is_replaced_and_no_caller_notices(cluster: Cluster) -> None:
    """Four swaps, the operator killed in each at another moment, and another one started."""
    rng = random.Random(1)
    async with cluster.load(callers=2) as found:
        for number in range(4):
            marker = (SECOND, FIRST)[number % 2]
            await asyncio.to_thread(cluster.point, marker)
            await asyncio.sleep(rng.uniform(0, 0.6))
            await asyncio.to_thread(cluster.replace_operator)
            await found.reach(sum(marker in a.text for a in found.answers) + 3, marker, 60)
            await asyncio.to_thread(wait_until, lambda: cluster.acknowledged, "the acknowledgement")
    assert found.failures == []


async def test_callers_do_not_notice_an_api_server_that_hangs(cluster: Cluster) -> None:
    async with cluster.load(callers=2) as found:
        cluster.server.process.send_signal(signal.SIGSTOP)
        try:
            await found.reach(len(found.answers) + 20, "")
        finally:
            cluster.server.process.send_signal(signal.SIGCONT)
    assert found.failures == []
    cluster.replace_operator()  # one that could not renew its lease has ended


async def test_a_decision_by_hand_is_a_command_or_an_annotation(cluster: Cluster) -> None:
    def quiver(*arguments: str) -> str:
        environment = {**os.environ, "KUBECONFIG": str(cluster.server.kubeconfig)}
        command = [QUIVER, arguments[0], "cluster", "acme/support", *arguments[1:]]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    async with cluster.load(callers=2) as found:
        await asyncio.to_thread(cluster.point, SECOND)
        await found.reach(3, SECOND)
        said = await asyncio.to_thread(quiver, "rollback")
        assert "RolledBack" in said
        assert "RolledBack" in await asyncio.to_thread(quiver, "history")
        assert "not a digest" in await asyncio.to_thread(quiver, "rollback", "--to", "nonsense")
        await found.reach(sum(FIRST in a.text for a in found.answers) + 5, FIRST)
        assert cluster.status["history"][0]["event"] == "RolledBack"
        await asyncio.to_thread(cluster.point, FIRST)
        await asyncio.to_thread(wait_until, lambda: cluster.acknowledged, "the acknowledgement")
    assert found.failures == []


def test_a_canary_has_its_part_and_takes_over(cluster: Cluster) -> None:
    rollout = {"canary": {"steps": [{"weight": 50, "seconds": 1}], "checks": {"minRequests": 3, "maxLengthRatio": 50,
               "maxLatencyRatio": 50, "maxFinishShift": 1}}}  # fmt: skip
    cluster.point(SECOND, rollout=rollout)
    wait_until(lambda: "canary" in cluster.status, "the canary")
    with openai.OpenAI(base_url=cluster.url, api_key=API_KEY, max_retries=0, timeout=60) as client:

        def active() -> bool:
            client.completions.create(model="support", prompt="What is the refund window?", max_tokens=8)
            source: str = cluster.status["active"]["source"]
            return source.endswith(SOURCES[SECOND]) and cluster.acknowledged

        wait_until(active, "the end of the canary", 60)
    cluster.point(FIRST)
    wait_until(lambda: cluster.status["active"]["source"].endswith(SOURCES[FIRST]), "the first version")


def test_a_bad_adapter_is_named_and_disturbs_no_other(cluster: Cluster, tmp_path: Path) -> None:
    cluster.server.apply(
        thing("Adapter", "missing", "acme", baseModel=BASE, source=f"file://{ADAPTERS}/none"),
        thing("Adapter", "outside", "acme", baseModel=BASE, source=f"file://{tmp_path}"),
    )
    for name in ("missing", "outside"):
        wait_until(partial(_fetched_says, cluster, name), name)
    assert is_ready(cluster.server, "adapter", "support", "acme")
    cluster.server.kubectl("delete", "adapter", "missing", "outside", "-n", "acme")


def _fetched_says(cluster: Cluster, name: str) -> bool:
    found = get(cluster.server, "adapter", name, "acme") or {}
    conditions = found.get("status", {}).get("conditions", ())
    return any(c["type"] == "Fetched" and c["reason"] not in ("Fetching", "Waiting") for c in conditions)


async def test_an_adapter_that_is_deleted_while_it_is_released_leaves_the_engine(cluster: Cluster) -> None:
    source = f"file://{ADAPTERS / 'acme-api-v1'}"
    for _ in range(3):
        cluster.server.apply(thing("Adapter", "brief", "acme", baseModel=BASE, source=source))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(cluster.server.kubectl, "delete", "adapter", "brief", "-n", "acme")

    async def names() -> list[str]:
        async with cluster.engine.session() as session, session.get("/v1/models") as response:
            return [card["id"] for card in (await response.json())["data"]]

    async with asyncio.timeout(30):
        while any(name.startswith("acme.brief.") for name in await names()):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def test_a_replica_is_drained_only_when_it_has_nothing_left_to_answer(cluster: Cluster) -> None:
    """It takes 5 s for everybody to hear that the pod is to stop, and is asked a few times after that."""
    async with cluster.load(callers=2) as found:
        await found.reach(3, "")
        drained = asyncio.create_task(asyncio.to_thread(answers, f"http://{HOST}:{cluster.agent_port}/drained", 60))
        await asyncio.sleep(9)
        assert not drained.done()
    assert await drained


def test_a_pod_that_goes_takes_no_more_requests(cluster: Cluster) -> None:
    def urls() -> list[str]:
        status = (get(cluster.server, "basemodel", BASE) or {})["status"]
        return [endpoint["name"] for endpoint in status.get("endpoints", ())]

    pod(cluster.server, "engine-1", component="engine", base=BASE)
    say(cluster.server, "engine-1", ready=False, address="127.0.0.9")
    wait_until(lambda: "engine-1" in urls(), "the second pod")
    status = (get(cluster.server, "basemodel", BASE) or {})["status"]
    assert not next(e for e in status["endpoints"] if e["name"] == "engine-1").get("ready")
    assert is_ready(cluster.server, "adapter", "support", "acme"), "one that is not ready yet is not waited for"
    cluster.server.kubectl("delete", "pod", "engine-1", "-n", "quiver", "--force", "--grace-period=0")
    wait_until(lambda: urls() == ["engine-0"], "one pod")
