"""Follows the reports of agents, gateways and the ingest worker, and pushes their desired state.

Each peer has its own task, so a slow one delays no other. Reports go to `Events`.
"""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from contract.agent import AgentStatus
from contract.drift import Tenants
from contract.ingest import DesiredKnowledgeBases, IngestStatus
from operators.clients.agent import AgentClient
from operators.clients.desired_pusher import DesiredPusher
from operators.clients.drift import DriftClient
from operators.clients.errors import PeerError
from operators.clients.follow import follow
from operators.clients.gateway import GatewayClient
from operators.clients.ingest import IngestClient
from operators.clients.latest_pusher import LatestPusher
from operators.clients.report import GRACE_S, Report
from operators.controllers.events import Events
from operators.controllers.peer import Peer
from operators.desired.desired_items import DesiredItems
from operators.desired.replica_report import ReplicaReport, is_same
from operators.reconcile.drift import verdicts

# Seconds between polls of a gateway while an object waits for it.
GATEWAY_S = 0.1
# For more adapters than these, a gateway is asked about all.
MOST_ADAPTERS = 50
# Seconds between questions about the use of keys.
KEY_USES_S = 10.0
# Seconds between questions about the use of base models: a request waits so long before its engine starts.
BASE_USES_S = 0.5
# Seconds between questions about drift: it takes hours.
DRIFT_S = 30.0
# Seconds that a new leader waits for first reports: no report does not mean that an engine is empty.
FIRST_REPORTS_S = 5.0


@dataclass(frozen=True)
class Addresses:
    """Addresses of the workers, and their tokens. A worker without a URL is not installed."""

    agent_token: str = field(repr=False)
    gateway_token: str = field(repr=False)
    ingest_url: str | None = None
    drift_url: str | None = None
    ingest_token: str = field(default="", repr=False)
    drift_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class _Agent:
    peer: Peer
    report: Report[ReplicaReport]
    desired: DesiredPusher
    task: "asyncio.Task[None]"
    met_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class _Gateway:
    peer: Peer
    task: "asyncio.Task[None]"


class PeerWatcher:
    """`group` runs its tasks; they end with it."""

    def __init__(
        self, session: aiohttp.ClientSession, group: asyncio.TaskGroup, addresses: Addresses, events: Events
    ) -> None:
        self._session = session
        self._group = group
        self._addresses = addresses
        self._events = events
        self._cache = events.cache
        self._agents: dict[str, _Agent] = {}
        self._gateways: dict[str, _Gateway] = {}
        self._knowledge_base_pusher = self._follow_ingest()
        self._tenant_pusher = self._follow_drift()

    async def run(self) -> None:
        """Until cancelled: follows new peers, and forgets removed ones."""
        while True:
            self._events.peers_changed.clear()
            self._sync_peers()
            await self._events.peers_changed.wait()

    async def first_reports(self) -> None:
        """Returns once every peer has reported, or has had the time to."""
        self._sync_peers()
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_REPORTS_S):
                while self._cache.expected or self._gateways.keys() - self._cache.gateway_states.keys():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    # What they are to do -------------------------------------------------------------------------------------

    def push_desired(self, uid: str, desired: DesiredItems) -> None:
        """If the peer is new in the cache, first starts to follow it."""
        if uid not in self._agents:
            self._sync_peers()
        if agent := self._agents.get(uid):
            agent.desired.set(desired)

    def push_knowledge_bases(self, desired: DesiredKnowledgeBases) -> None:
        if self._knowledge_base_pusher:
            self._knowledge_base_pusher.set(desired)

    def push_tenants(self, tenants: Tenants) -> None:
        if self._tenant_pusher:
            self._tenant_pusher.set(tenants)

    def _follow_drift(self) -> LatestPusher[Tenants] | None:
        addresses = self._addresses
        if addresses.drift_url is None:
            self._cache.drift = {}  # nobody has a verdict
            return None
        client = DriftClient(self._session, addresses.drift_url, addresses.drift_token)
        tenants: LatestPusher[Tenants] = LatestPusher(client.register)
        self._start(tenants.run())
        self._start(self._ask_for_drift(client))
        return tenants

    # What they report ----------------------------------------------------------------------------------------

    def _follow_ingest(self) -> LatestPusher[DesiredKnowledgeBases] | None:
        addresses = self._addresses
        if addresses.ingest_url is None:
            return None
        client = IngestClient(self._session, addresses.ingest_url, addresses.ingest_token)
        bases: LatestPusher[DesiredKnowledgeBases] = LatestPusher(client.desire)
        report = Report[IngestStatus]()

        def news() -> None:
            if report.current != self._cache.ingest:
                self._events.ingest_changed(report.current)

        self._start(bases.run())

        def hear(status: IngestStatus) -> int:
            report.hear(status)
            return status.revision

        self._start(follow(client.status, hear, pusher=bases, news=news))
        return bases

    async def _ask_for_drift(self, client: DriftClient) -> None:
        """While the detector does not answer, its last verdicts stand."""
        while True:
            with suppress(PeerError):
                self._events.drift_changed(verdicts(await client.report()))
            await asyncio.sleep(DRIFT_S)

    def _sync_peers(self) -> None:
        """Follows new peers, and forgets removed ones. A peer with another address is a new one: the old address may
        belong to another process now, which must not get the token."""
        engines = [peer for peers in self._cache.engines.values() for peer in peers.values() if peer.control_url]
        gateways = [peer for peer in self._cache.gateways.values() if peer.control_url]
        agent_urls = {peer.uid: peer.control_url for peer in engines}
        gateway_urls = {peer.uid: peer.control_url for peer in gateways}
        for uid in [uid for uid, agent in self._agents.items() if agent_urls.get(uid) != agent.peer.control_url]:
            agent = self._agents.pop(uid)
            agent.task.cancel()
            self._cache.expected.discard(uid)
            self._events.report_changed(agent.peer, None)
        for uid in [uid for uid, item in self._gateways.items() if gateway_urls.get(uid) != item.peer.control_url]:
            self._gateways.pop(uid).task.cancel()
            self._cache.gateway_states.pop(uid, None)
            self._cache.base_uses_heard.pop(uid, None)
        for peer in engines:
            if peer.uid not in self._agents:
                self._agents[peer.uid] = self._agent(peer)
        for peer in gateways:
            if peer.uid not in self._gateways:
                self._gateways[peer.uid] = _Gateway(peer, self._start(self._follow(peer)))

    def _agent(self, peer: Peer) -> _Agent:
        client = AgentClient(self._session, peer.control_url, self._addresses.agent_token)
        report, desired = Report[ReplicaReport](), DesiredPusher(client)
        self._cache.expected.add(peer.uid)

        def hear(status: AgentStatus) -> int:
            report.hear(ReplicaReport.of(status, report.last))
            return status.version

        def news() -> None:
            agent = self._agents.get(peer.uid)
            if agent is None:
                return
            is_late = time.monotonic() - agent.met_at > GRACE_S
            if peer.uid in self._cache.expected and (report.current is not None or is_late):
                self._events.no_longer_expected(peer)
            if not is_same(report.current, self._cache.reports.get(peer.uid)):
                self._events.report_changed(peer, report.current)

        async def both() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(desired.run())
                group.create_task(follow(client.status, hear, pusher=desired, news=news))

        return _Agent(peer, report, desired, self._start(both()))

    async def _follow(self, peer: Peer) -> None:
        client = GatewayClient(self._session, peer.control_url, self._addresses.gateway_token)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_state(client, peer))
            group.create_task(self._follow_key_uses(client))
            group.create_task(self._follow_base_uses(client, peer))

    async def _follow_key_uses(self, client: GatewayClient) -> None:
        """A gateway without an answer is asked again."""
        while True:
            with suppress(PeerError):
                self._events.keys_used(await client.key_uses())
            await asyncio.sleep(KEY_USES_S)

    async def _follow_base_uses(self, client: GatewayClient, peer: Peer) -> None:
        """Only where a base model scales to zero."""
        while True:
            if any(base.spec.scales_to_zero for base in self._cache.base_models()):
                with suppress(PeerError):
                    self._events.bases_used(peer, await client.base_uses(), datetime.now(UTC))
            await asyncio.sleep(BASE_USES_S)

    async def _follow_state(self, client: GatewayClient, peer: Peer) -> None:
        while True:
            if self._cache.awaiting_gateways or peer.uid not in self._cache.gateway_states:
                await self._ask(client, peer)
            await asyncio.sleep(GATEWAY_S)

    async def _ask(self, client: GatewayClient, peer: Peer) -> None:
        """Asks a gateway for awaited facts. If it does not answer, it has confirmed nothing new."""
        before, adapters = self._cache.gateway_states.get(peer.uid), self._cache.awaited_adapters()
        is_part = before is not None and 0 < len(adapters) <= MOST_ADAPTERS
        try:
            state = await client.state(adapters if is_part else None)
            if is_part and before and state.generation < before.generation:  # it has restarted
                before, state = None, await client.state()
        except PeerError:
            return
        if before and is_part:
            state = before.updated(state, adapters)
        if state != self._cache.gateway_states.get(peer.uid):
            self._events.gateway_changed(peer, state)

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        return self._group.create_task(work)
