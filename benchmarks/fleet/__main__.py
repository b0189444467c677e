"""`make bench-fleet`: the operator with 100 replicas, 10,000 adapters and 500 tenants on a real API server.

Agents without engines have at once what is desired. For each change one adapter is created. The cost of a change is
the operator's CPU time until the adapter is Ready on all its replicas, less the CPU time at rest.
ARGS=--quick: 20 replicas, 1,000 adapters, 50 tenants.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp

from benchmarks.fleet.agents import addresses, agents
from benchmarks.operator.agent import Agent
from benchmarks.operator.contestants import BUILD, OURS, Running, running
from benchmarks.report import Bar, report
from contract.names import API_VERSION
from examples.demo.workspace import AlreadyRunning, alone
from operators.crd.definitions import definitions
from tests.api_server.parts import PLATFORM, namespace, pod, say, thing
from tests.api_server.roles import grant
from tests.api_server.server import ApiServer, api_server

BASES = 5
LIMIT_S = 1800.0
AT_ONCE = 16
MOST_BYTES = 256 * 1024
KINDS = ("basemodels", "tenants", "adapters", "adapterslices")


@dataclass(frozen=True)
class Sizes:
    replicas: int
    adapters: int
    few: int
    """Adapters for the first measurement of a change."""
    tenants: int
    changes: int
    rest_s: float

    def tenant(self, number: int) -> str:
        return f"t{number % self.tenants}"

    def adapter(self, number: int) -> dict[str, Any]:
        base, source = f"base{number % BASES}", f"s3://bucket/a{number}"
        return thing("Adapter", f"a{number}", self.tenant(number), baseModel=base, source=source)

    def path(self, number: int) -> str:
        return f"/apis/{API_VERSION}/namespaces/{self.tenant(number)}/adapters"


WHOLE = Sizes(replicas=100, adapters=10_000, few=100, tenants=500, changes=40, rest_s=30)
QUICK = Sizes(replicas=20, adapters=1_000, few=100, tenants=50, changes=20, rest_s=10)


@dataclass(frozen=True)
class Change:
    """Of a new adapter, in seconds: the operator's mean time on a CPU, and the median until every replica has it."""

    cpu: float
    told: float


@dataclass
class Fleet:
    server: ApiServer
    session: aiohttp.ClientSession
    agents: Sequence[Agent]
    sizes: Sizes
    process: Running
    changes: int = 0

    async def grow(self, count: int, *, first: int = 0) -> float:
        """Seconds until all adapters up to `count` are Ready on every replica, and slices say so."""
        limit, begun = asyncio.Semaphore(AT_ONCE), time.monotonic()

        async def one(number: int) -> None:
            async with limit:
                await self._create(number)

        await asyncio.gather(*(one(number) for number in range(first, count)))
        await self._until(lambda: self._is_settled(count + self.changes), 2.0)
        return time.monotonic() - begun

    async def behind(self, count: int) -> int:
        """The adapters that are not Ready on every replica of their base model, or not said to be."""
        adapters = (await self._ask("GET", f"/apis/{API_VERSION}/adapters?resourceVersion=0"))["items"]
        slices = (await self._ask("GET", f"/apis/{API_VERSION}/adapterslices?resourceVersion=0"))["items"]
        everywhere = f"0-{self.sizes.replicas // BASES - 1}"
        published = sum(version["on"] == everywhere for each in slices for version in each["spec"]["versions"])
        return count - min(sum(map(_is_ready, adapters)), int(published))

    async def _is_settled(self, count: int) -> bool:
        behind = await self.behind(count)
        print(f"  {behind} of {count} adapters are not everywhere yet", file=sys.stderr, flush=True)
        return behind <= 0

    async def change(self) -> Change:
        cpu = self.process.cpu_s
        await asyncio.sleep(self.sizes.rest_s)
        at_rest = (self.process.cpu_s - cpu) / self.sizes.rest_s
        begun, cpu = time.monotonic(), self.process.cpu_s
        told_s = await self._changes()
        taken = self.process.cpu_s - cpu - at_rest * (time.monotonic() - begun)
        return Change(taken / self.sizes.changes, median(told_s))

    async def _changes(self) -> list[float]:
        """Seconds until every replica has a new adapter."""
        told_s = []
        for number in range(self.sizes.changes):
            self.changes += 1
            name = 900_000 + self.changes * BASES + number % BASES
            mine = self.agents[number % BASES :: BASES]
            await self._create(name)
            begun = time.monotonic()
            await self._until(partial(_all_have, mine, name))
            told_s.append(time.monotonic() - begun)
            await self._until(partial(self._is_ready, name), 0.05)
        return told_s

    async def largest(self) -> int:
        """Bytes of the largest object of ours, as JSON."""
        lists = [await self._ask("GET", f"/apis/{API_VERSION}/{kind}") for kind in KINDS]
        return max((len(json.dumps(item)) for each in lists for item in each["items"]), default=0)

    # The API server --------------------------------------------------------------------------------------------

    async def _create(self, number: int) -> None:
        await self._ask("POST", self.sizes.path(number), self.sizes.adapter(number))

    async def _is_ready(self, number: int) -> bool:
        return _is_ready(await self._ask("GET", f"{self.sizes.path(number)}/a{number}"))

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, f"{self.server.url}{path}", json=body) as response:
            if response.status == 429:  # it prepares to serve a new kind
                await asyncio.sleep(float(response.headers.get("Retry-After", 1)))
                return await self._ask(method, path, body)
            if response.status >= 400:
                raise RuntimeError(f"{method} {path}: {response.status} {(await response.text())[:300]}")
            return await response.json()

    async def _until(self, holds: Callable[[], Awaitable[bool]], period_s: float = 0.005) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not await holds():  # noqa: ASYNC110
                await asyncio.sleep(period_s)


async def _all_have(agents: Sequence[Agent], number: int) -> bool:
    return all(agent.has(f"a{number}") for agent in agents)


def _is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


# Objects -------------------------------------------------------------------------------------------------------------


def _lay_out(server: ApiServer, sizes: Sizes) -> None:
    server.apply(*definitions().values())
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    tenants = [sizes.tenant(number) for number in range(sizes.tenants)]
    server.apply(namespace(PLATFORM), *(namespace(name) for name in tenants))
    bases = (thing("BaseModel", f"base{number}", source="hf://org/model", tenants=["*"],
                   lora={"cpuSlots": 4096, "slots": 4}) for number in range(BASES))  # fmt: skip
    server.apply(*bases, *(thing("Tenant", name, namespace=name, maxAdapters=10_000) for name in tenants))
    grant(server, "operator", OURS.user, "other")
    for number, address in enumerate(addresses(sizes.replicas)):
        pod(server, f"engine-{number:03}", component="engine", base=f"base{number % BASES}")
        say(server, f"engine-{number:03}", ready=True, address=address)


async def _measured(server: ApiServer, sizes: Sizes) -> tuple[dict[str, Bar], list[str]]:
    headers = {"Authorization": f"Bearer {server.admin_token}"}
    connector = aiohttp.TCPConnector(ssl=False, limit=AT_ONCE)
    session = aiohttp.ClientSession(headers=headers, connector=connector)
    async with agents(sizes.replicas) as listening, session:
        with running(OURS, server, listening[0].port) as process:
            fleet = Fleet(server, session, listening, sizes, process)
            await fleet.grow(sizes.few)
            few = await fleet.change()
            seconds = await fleet.grow(sizes.adapters, first=sizes.few)
            many = await fleet.change()
            largest, memory, behind = (
                await fleet.largest(),
                process.rss,
                await fleet.behind(sizes.adapters + fleet.changes),
            )
    bars = {
        "fleet-largest": Bar(round(largest / 1024, 1), MOST_BYTES / 1024, "KB", at_most=True),
        "fleet-change": Bar(round(many.cpu / few.cpu, 3), 1.2, "times", at_most=True),
        "fleet-told": Bar(round(many.told / few.told, 3), 1.5, "times", at_most=True),
        "fleet-behind": Bar(behind, 0, "adapters", at_most=True),
    }
    return bars, [
        f"{sizes.replicas} replicas of {BASES} base models, {sizes.adapters} adapters, {sizes.tenants} tenants",
        f"a new adapter: {few.cpu * 1000:.0f} ms of CPU among {sizes.few}, {many.cpu * 1000:.0f} ms among all",
        f"on all of its replicas after {few.told * 1000:.0f} ms, {many.told * 1000:.0f} ms",
        f"all adapters Ready everywhere after {seconds:.0f} s; operator {memory / 1e6:.0f} MB",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    sizes = QUICK if parser.parse_args().quick else WHOLE
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        with alone(Path("build/bench-fleet").resolve()), api_server() as server:
            print("namespaces, tenants and pods …", file=sys.stderr, flush=True)
            _lay_out(server, sizes)
            bars, notes = asyncio.run(_measured(server, sizes))
    except AlreadyRunning as error:
        sys.exit(str(error))
    print("\n".join(notes))
    return report("fleet", bars, notes=notes)


if __name__ == "__main__":
    sys.exit(main())
