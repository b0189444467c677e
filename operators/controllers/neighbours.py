"""The neighbours of the operator: each pod's agent, each gateway, the ingest worker, the drift detector.

What they say is kept here and announced; each is told by a task of its own, so that nobody waits for a slow one.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from contract.agent import AgentStatus, DesiredSet
from contract.gateway import GatewayState
from contract.ingest import DesiredKnowledgeBase, IngestStatus
from operators.clients.agent import AgentClient
from operators.clients.drift import DriftClient
from operators.clients.errors import NeighbourError
from operators.clients.follow import follow
from operators.clients.gateway import GatewayClient
from operators.clients.ingest import IngestClient
from operators.clients.newest import Newest
from operators.clients.report import GRACE_S, Report
from operators.controllers.pod import Pod

# Between looks at a gateway while somebody waits for it.
GATEWAY_S = 0.1
# One that has just begun to ask waits this long for the first answers: what is not known yet is not gone.
FIRST_WORDS_S = 5.0

AgentNews = Callable[[str, AgentStatus | None, AgentStatus | None], None]


@dataclass(frozen=True)
class Addresses:
    """Where neighbours listen, and the token that each asks for. One without a URL is not there."""

    agent_token: str = field(repr=False)
    gateway_token: str = field(repr=False)
    agent_port: int
    gateway_port: int
    ingest_url: str | None = None
    drift_url: str | None = None
    ingest_token: str = field(default="", repr=False)
    drift_token: str = field(default="", repr=False)


@dataclass
class _Agent:
    report: Report[AgentStatus]
    desired: Newest[DesiredSet]
    task: "asyncio.Task[None]"
    address: str
    last: AgentStatus | None = None
    met_at: float = field(default_factory=time.monotonic)


class Neighbours:
    """`agent_news` is told a base model and what one of its agents said before and says now, `gateway_news` and
    `ingest_news` only that there is some. `waited_for` says whether anybody waits for a gateway."""

    def __init__(
        self,
        addresses: Addresses,
        *,
        agent_news: AgentNews,
        gateway_news: Callable[[], None],
        ingest_news: Callable[[], None],
        waited_for: Callable[[], bool],
    ) -> None:
        self._addresses = addresses
        self._agent_news = agent_news
        self._gateway_news = gateway_news
        self._ingest_news = ingest_news
        self._waited_for = waited_for
        self._agents: dict[str, _Agent] = {}
        self._gateways: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._states: dict[str, GatewayState] = {}
        self._ingest = Report[IngestStatus]()

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession() as self._session, asyncio.TaskGroup() as self._group:
            addresses = self._addresses
            if addresses.ingest_url:
                ingest = IngestClient(self._session, addresses.ingest_url, addresses.ingest_token)
                self._bases: Newest[tuple[DesiredKnowledgeBase, ...]] = Newest(ingest.desire)
                self._start(self._bases.run())
                self._start(
                    follow(ingest.status, lambda status: status.revision, report=self._ingest, newest=self._bases,
                           news=self._ingest_news)
                )  # fmt: skip
            if addresses.drift_url:
                self._tenants: Newest[tuple[str, ...]] = Newest(
                    DriftClient(self._session, addresses.drift_url, addresses.drift_token).register
                )
                self._start(self._tenants.run())
            await asyncio.Event().wait()

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        return self._group.create_task(work)

    # What they say -------------------------------------------------------------------------------------------

    def report(self, uid: str) -> AgentStatus | None:
        found = self._agents.get(uid)
        return found.report.current if found else None

    def unheard(self, uid: str) -> bool:
        """Whether it has said nothing yet, and may be expected to."""
        found = self._agents.get(uid)
        return found is not None and found.last is None and time.monotonic() - found.met_at < GRACE_S

    async def first_words(self) -> None:
        """Until everybody has said something, or has had the time to."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_WORDS_S):
                while any(map(self.unheard, self._agents)) or self._gateways.keys() - self._states.keys():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    def gateway_state(self, uid: str) -> GatewayState | None:
        return self._states.get(uid)

    def ingest(self) -> IngestStatus | None:
        return self._ingest.current

    # What they are told --------------------------------------------------------------------------------------

    def tell(self, uid: str, desired: DesiredSet) -> None:
        found = self._agents.get(uid)
        if found:
            found.desired.tell(desired)

    def index(self, bases: tuple[DesiredKnowledgeBase, ...]) -> None:
        if self._addresses.ingest_url:
            self._bases.tell(bases)

    def register(self, tenants: tuple[str, ...]) -> None:
        if self._addresses.drift_url:
            self._tenants.tell(tenants)

    # Who they are --------------------------------------------------------------------------------------------

    def meet(self, engines: Iterable[Pod], gateways: Iterable[Pod]) -> None:
        """Those that are gone, or have another address, are forgotten: a token must not go to whoever has the old one.
        Those that have an address and are new are followed."""
        engine_pods = {pod.uid: pod for pod in engines if pod.address}
        gateway_pods = {pod.uid: pod for pod in gateways if pod.address}
        for uid in [uid for uid, agent in self._agents.items() if _address(engine_pods, uid) != agent.address]:
            self._agents.pop(uid).task.cancel()
        for uid in [uid for uid, (address, _) in self._gateways.items() if _address(gateway_pods, uid) != address]:
            self._gateways.pop(uid)[1].cancel()
            self._states.pop(uid, None)
        for uid, pod in engine_pods.items():
            if uid not in self._agents:
                self._agents[uid] = self._agent(pod)
        for uid, pod in gateway_pods.items():
            if uid not in self._gateways:
                self._gateways[uid] = (pod.address, self._start(self._follow_gateway(pod)))

    def _agent(self, pod: Pod) -> _Agent:
        client = AgentClient(self._session, _url(pod, self._addresses.agent_port), self._addresses.agent_token)
        report, desired = Report[AgentStatus](), Newest(client.desire)

        def news() -> None:
            known = self._agents.get(pod.uid)
            if known is not None and known.last != report.current:
                before, known.last = known.last, report.current
                self._agent_news(pod.base, before, known.last)

        async def both() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(desired.run())
                group.create_task(
                    follow(client.status, lambda status: status.version, report=report, newest=desired, news=news)
                )

        return _Agent(report, desired, self._start(both()), pod.address)

    async def _follow_gateway(self, pod: Pod) -> None:
        client = GatewayClient(self._session, _url(pod, self._addresses.gateway_port), self._addresses.gateway_token)
        while True:
            if self._waited_for() or pod.uid not in self._states:
                await self._ask(client, pod)
            await asyncio.sleep(GATEWAY_S)

    async def _ask(self, client: GatewayClient, pod: Pod) -> None:
        """One that is silent has taken nothing up."""
        try:
            state = await client.state()
        except NeighbourError:
            return
        if state != self._states.get(pod.uid):
            self._states[pod.uid] = state
            self._gateway_news()


def _address(pods: Mapping[str, Pod], uid: str) -> str | None:
    return pods[uid].address if uid in pods else None


def _url(pod: Pod, port: int) -> str:
    host = f"[{pod.address}]" if ":" in pod.address else pod.address
    return f"http://{host}:{port}"
