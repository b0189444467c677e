"""A6: loads and unloads without end: does anything grow? An agent with its engine, beside a bare engine, in turns."""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
import psutil

from benchmarks.adapters.stage import REPOSITORY, TRAINED
from benchmarks.bare_engine import BASE, KEY, BareEngine, complete, load, unload
from contract.agent import AgentStatus, DesiredAdapter, DesiredSet
from examples.demo.platform import end_with_parent
from operators.clients.agent import AgentClient
from operators.clients.errors import PeerError
from operators.desired.replica_report import ReplicaReport
from operators.local.layout import free_port
from serving.agent.fingerprint import PROMPTS, TOP

SAMPLE_EVERY = 10
WARM = 0.2  # the share of the cycles that is left out of the fit


@dataclass
class Growth:
    """Resident bytes after each so many cycles."""

    samples: list[tuple[int, int]] = field(default_factory=list)

    @property
    def slope(self) -> tuple[float, float]:
        """KiB a cycle, and its standard error, of the part after warming up."""
        warm = self.samples[int(len(self.samples) * WARM) :]
        cycles, sizes = (np.array(column, dtype=float) for column in zip(*warm, strict=True))
        (slope, _), covariance = np.polyfit(cycles, sizes / 1024, 1, cov=True)
        return float(slope), float(np.sqrt(covariance[0, 0]))


@dataclass
class Growths:
    """Of an agent, of its engine, and of the engine that has none."""

    agent: Growth = field(default_factory=Growth)
    engine: Growth = field(default_factory=Growth)
    bare: Growth = field(default_factory=Growth)


async def run(ours: BareEngine, bare: BareEngine, folder: Path, *, cycles: int) -> Growths:
    found = Growths()
    paths = sorted(TRAINED.iterdir())
    async with _agent(ours, folder) as agent, bare.session() as session:
        for cycle in range(cycles):
            path = paths[cycle % len(paths)]
            await agent.cycle(path, cycle)
            await _bare_cycle(session, path)
            if cycle % SAMPLE_EVERY == 0:
                found.agent.samples.append((cycle, agent.process.memory_info().rss))
                found.engine.samples.append((cycle, ours.rss))
                found.bare.samples.append((cycle, bare.rss))
            if cycle % (cycles // 10) == 0:
                print(f"  {cycle} of {cycles} cycles", flush=True)
    return found


async def _bare_cycle(session: aiohttp.ClientSession, path: Path) -> None:
    """The same as the agent does, without an agent: load, eight prompts with log-probabilities, unload."""
    await load(session, "cycle", path)
    status, _ = await complete(session, "cycle", list(PROMPTS), max_tokens=1, logprobs=TOP)
    if status != 200:
        raise RuntimeError(f"the bare engine answered {status}")
    await unload(session, "cycle")


@dataclass
class _Agent:
    client: AgentClient
    process: psutil.Process
    report: ReplicaReport | None = None
    seen: int = -1

    async def cycle(self, path: Path, number: int) -> None:
        item = DesiredAdapter(tenant="acme", adapter="cycle", source=str(path), revision=f"cycle-{number}")
        await self._until(DesiredSet(adapters=(item,)), lambda status: all(e.state == "Ready" for e in status.adapters))
        await self._until(DesiredSet(), lambda status: not status.adapters)

    async def _until(self, desired: DesiredSet, holds: Callable[[AgentStatus], bool]) -> None:
        await self.client.desire(desired)
        async with asyncio.timeout(60):
            while True:
                try:
                    change = await self.client.status(since=self.seen, wait_s=5)
                except PeerError:  # it is through with nothing yet
                    await asyncio.sleep(0.05)
                    continue
                self.seen, self.report = change.version, ReplicaReport.of(change, self.report)
                status = self.report.about()
                if len(status.adapters) == len(desired.adapters) and holds(status):
                    return


@contextmanager
def _process(engine: BareEngine, folder: Path, port: int, token: str) -> Iterator[int]:
    """Its process id."""
    settings = {
        "PORT": port, "TOKEN": token, "STORE": folder / "store", "ENGINE_URL": engine.url, "ENGINE_API_KEY": KEY,
        "BASE_MODEL": BASE, "BASE_SOURCE": REPOSITORY / "models/demo/base", "FILE_ROOTS": '["/"]',
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "serving.agent"],
        env={**os.environ, **{f"QUIVER_AGENT_{key}": str(value) for key, value in settings.items()}},
        stderr=(folder / "agent.log").open("wb"),
        preexec_fn=end_with_parent,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@asynccontextmanager
async def _agent(engine: BareEngine, folder: Path) -> AsyncIterator[_Agent]:
    port, token = free_port(), secrets.token_hex(16)
    with _process(engine, folder, port, token) as pid:
        async with aiohttp.ClientSession() as session:
            client = AgentClient(session, f"http://127.0.0.1:{port}", token)
            await _answers(client)
            yield _Agent(client, psutil.Process(pid))


async def _answers(client: AgentClient) -> None:
    limit = time.monotonic() + 60
    while True:
        try:
            await client.desire(DesiredSet())
            return
        except PeerError:
            if time.monotonic() > limit:
                raise
            await asyncio.sleep(0.1)
