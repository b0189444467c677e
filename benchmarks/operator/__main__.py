"""`make bench-operator`: the operator beside the same logic on controller-runtime and on kopf, against one API server.

ARGS=--quick: 100 objects in place of 1,000, and half a minute of rest in place of ten. ARGS=--alone: ours alone.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp

from benchmarks.operator.agent import Agent, agent
from benchmarks.operator.contestants import GO, KOPF_DEFAULTS, OURS, Contestant, Running, build, running
from benchmarks.report import Bar, report
from contract.names import API_VERSION
from examples.demo.workspace import AlreadyRunning, alone
from operators.crd.definitions import definitions
from tests.api_server.parts import PLATFORM, namespace, pod, say, thing
from tests.api_server.roles import grant
from tests.api_server.server import ApiServer, api_server

LIMIT_S = 600.0
WRITES = ("create", "update", "patch", "delete")
AT_ONCE = 32


@dataclass(frozen=True)
class Sizes:
    objects: int
    more_objects: int
    idle_s: float
    events: int


WHOLE = Sizes(1000, 5000, 600, 200)
QUICK = Sizes(100, 300, 30, 40)

Bars = dict[str, Bar]


@dataclass
class Bench:
    server: ApiServer
    session: aiohttp.ClientSession
    agent: Agent
    sizes: Sizes
    notes: list[str] = field(default_factory=list)

    # Objects -------------------------------------------------------------------------------------------------

    async def create(self, count: int, *, first: int = 0) -> None:
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            async with limit:
                await self._ask("POST", _path(number), _adapter(number))

        await asyncio.gather(*(one(number) for number in range(first, first + count)))

    async def clear(self) -> None:
        """All adapters and the leases; nobody is running who would mind."""
        for tenant in range(TENANTS):
            await self._ask("DELETE", f"/apis/{API_VERSION}/namespaces/t{tenant}/adapters")
        for lease in ("quiver-operator", "reference"):
            await self._ask(
                "DELETE", f"/apis/coordination.k8s.io/v1/namespaces/{PLATFORM}/leases/{lease}", missing=True
            )
        self.agent.forget()

    async def _ask(self, method: str, path: str, body: Any = None, *, missing: bool = False) -> Any:
        async with self.session.request(method, f"{self.server.url}{path}", json=body) as response:
            if response.status >= 400 and not (missing and response.status == 404):
                raise RuntimeError(f"{method} {path}: {response.status} {(await response.text())[:300]}")
            return await response.json()

    async def ready(self) -> int:
        found = await self._ask("GET", f"/apis/{API_VERSION}/adapters?resourceVersion=0")
        return sum(_is_ready(item) for item in found["items"])

    async def until_ready(self, count: int) -> None:
        await self.until(partial(self._are_ready, count), f"{count} adapters to be Ready", max(0.05, count / 5000))

    async def until_said(self, count: int) -> None:
        """Something of each, whatever it is: a base model has room for 4,096 versions at most."""
        await self.until(partial(self._are_said, count), f"the words on {count} adapters", 1)

    async def _are_said(self, count: int) -> bool:
        found = await self._ask("GET", f"/apis/{API_VERSION}/adapters?resourceVersion=0")
        return sum("conditions" in item.get("status", {}) for item in found["items"]) >= count

    async def _are_ready(self, count: int) -> bool:
        return await self.ready() >= count

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str, period_s: float = 0.005) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not await holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {LIMIT_S:.0f} s")
            await asyncio.sleep(period_s)

    async def _told(self, count: int) -> bool:
        return len(self.agent.told) >= count

    # What the audit log says ---------------------------------------------------------------------------------

    def calls(self, contestant: Contestant, since: int) -> list[dict[str, Any]]:
        lines = self.server.audit.read_text().splitlines()[since:]
        events = (json.loads(line) for line in lines)
        return [event for event in events if event["user"]["username"] == contestant.user]

    @property
    def mark(self) -> int:
        return len(self.server.audit.read_text().splitlines())


@dataclass
class Figures:
    """Of one contestant. Times in seconds, sizes in bytes."""

    create_s: float = 0.0
    calls_per_object: float = 0.0
    idle_writes: int = 0
    idle_cpu_s: float = 0.0
    event_s: list[float] = field(default_factory=list)
    restart_s: float = 0.0
    restart_writes: int = 0
    restart_calls: int = 0
    rss: dict[int, int] = field(default_factory=dict)


async def measure(bench: Bench, contestant: Contestant) -> Figures:
    found, sizes = Figures(), bench.sizes
    slow = contestant is KOPF_DEFAULTS
    await bench.clear()
    with running(contestant, bench.server, bench.agent.port) as process:
        await _settled(bench, process)
        found.rss[0] = process.rss
        await _create(bench, contestant, found)
        found.rss[sizes.objects] = process.rss
        if not slow:
            await _rest(bench, contestant, process, found)
            await _events(bench, found)
    if slow:
        return found
    await _restart(bench, contestant, found)
    return found


async def _settled(bench: Bench, process: Running) -> None:
    """It has told the agent what it found, which is a first adapter."""
    await bench.create(1, first=90_000)
    await bench.until(partial(bench._told, 1), "the first desired set")
    await bench.until_ready(1)
    await asyncio.sleep(2)


async def _create(bench: Bench, contestant: Contestant, found: Figures) -> None:
    mark, began = bench.mark, time.monotonic()
    await bench.create(bench.sizes.objects)
    await bench.until_ready(bench.sizes.objects + 1)
    found.create_s = time.monotonic() - began
    found.calls_per_object = len(bench.calls(contestant, mark)) / bench.sizes.objects


async def _rest(bench: Bench, contestant: Contestant, process: Running, found: Figures) -> None:
    """Leases are renewed, which is no write of an object."""
    await asyncio.sleep(5)
    mark, cpu = bench.mark, process.cpu_s
    await asyncio.sleep(bench.sizes.idle_s)
    found.idle_cpu_s = process.cpu_s - cpu
    found.idle_writes = len(_writes(bench.calls(contestant, mark)))


async def _events(bench: Bench, found: Figures) -> None:
    """From the API server's answer to the agent having the set that holds it."""
    for number in range(bench.sizes.events):
        name = 50_000 + number
        await bench.create(1, first=name)
        created = time.monotonic()
        await bench.until(partial(_heard, bench, f"a{name}"), "an event", 0.0005)
        found.event_s.append(max(0.0, bench.agent.told[f"a{name}"] - created))
        await asyncio.sleep(0.05)
    await asyncio.sleep(3)  # what each of them has caused is through


async def _heard(bench: Bench, name: str) -> bool:
    return name in bench.agent.told


async def _restart(bench: Bench, contestant: Contestant, found: Figures) -> None:
    """The agent keeps what it has, as a real one does; all that is there is Ready already."""
    count = await bench.ready()
    bench.agent.told.clear()
    calls, mark, began = bench.agent.calls, bench.mark, time.monotonic()
    with running(contestant, bench.server, bench.agent.port) as process:
        await bench.until(partial(bench._told, count), "the desired set of a restarted operator")
        found.restart_s = time.monotonic() - began
        await asyncio.sleep(3)
        found.restart_writes = len(_writes(bench.calls(contestant, mark)))
        found.restart_calls = bench.agent.calls - calls
        missing = bench.sizes.more_objects - count
        await bench.create(missing, first=100_000)
        await bench.until_said(bench.sizes.more_objects)
        await asyncio.sleep(3)
        found.rss[bench.sizes.more_objects] = process.rss


def _writes(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for call in calls if call["verb"] in WRITES and call.get("objectRef", {}).get("resource") != "leases"]


async def failover(bench: Bench) -> tuple[float, int]:
    """Seconds from the leader's death to the other one's first act, and how often the hand changed."""
    await bench.clear()
    heir = Contestant("ours", "other")
    mark = bench.mark
    with running(OURS, bench.server, bench.agent.port) as leader:
        await bench.create(5)
        await bench.until_ready(5)
        with running(heir, bench.server, bench.agent.port):
            await asyncio.sleep(3)
            leader.process.kill()
            died = time.monotonic()
            await bench.create(5, first=10)
            await bench.until_ready(10)
            seconds = time.monotonic() - died
    lines = (json.loads(line) for line in bench.server.audit.read_text().splitlines()[mark:])
    hands = [event["user"]["username"] for event in lines if event["user"]["username"] in (OURS.user, heir.user)
             and event["verb"] in WRITES and event.get("objectRef", {}).get("resource") not in ("leases",)]  # fmt: skip
    return seconds, sum(one != other for one, other in pairwise(hands))


# Objects -------------------------------------------------------------------------------------------------------------

TENANTS = 10


def _adapter(number: int) -> dict[str, Any]:
    within = f"t{number % TENANTS}"
    return thing("Adapter", f"a{number}", within, baseModel="base", source=f"s3://bucket/{within}/a{number}")


def _path(number: int) -> str:
    return f"/apis/{API_VERSION}/namespaces/t{number % TENANTS}/adapters"


def _is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _lay_out(server: ApiServer) -> None:
    server.apply(*definitions().values())
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    tenants = [f"t{number}" for number in range(TENANTS)]
    server.apply(namespace(PLATFORM), *(namespace(name) for name in tenants))
    server.apply(
        thing("BaseModel", "base", source="hf://org/model", tenants=["*"], lora={"cpuSlots": 4096, "slots": 4}),
        *(thing("Tenant", name, namespace=name, maxAdapters=10_000) for name in tenants),
    )
    grant(server, "operator", OURS.user, "other")
    rule = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "peers"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name}
                         for name in (GO.user, KOPF_DEFAULTS.user)]}  # fmt: skip
    server.apply(rule)
    pod(server, "engine-0", component="engine", base="base")
    say(server, "engine-0", ready=True)


# Bars ----------------------------------------------------------------------------------------------------------------


def bars(figures: dict[str, Figures], sizes: Sizes) -> Bars:
    ours, go, kopf = figures["ours"], figures.get("go"), figures.get("kopf")
    times = quantiles(ours.event_s, n=100)
    found = {
        "O2-writes": Bar(ours.idle_writes, 0, "writes", at_most=True),
        "O3": Bar(times[49] * 1000, 20, "ms", at_most=True),
        "O3-p99": Bar(times[98] * 1000, 100, "ms", at_most=True),
        "O4-writes": Bar(ours.restart_writes, 0, "writes", at_most=True),
        "O5-slope": Bar(_slope(ours), 20, "KB", at_most=True),
    }
    if kopf:
        found["O1-kopf"] = Bar(ours.create_s / kopf.create_s, 0.5, "times", at_most=True)
    if go:
        found |= {
            "O1": Bar(ours.create_s / go.create_s, 1.5, "times", at_most=True),
            "O2": Bar(ours.idle_cpu_s / max(go.idle_cpu_s, 0.01), 2, "times", at_most=True),
            "O4": Bar(ours.restart_s / go.restart_s, 2, "times", at_most=True),
            "O5": Bar(max(ours.rss[n] / go.rss[n] for n in ours.rss), 3, "times", at_most=True),
        }
    return found


def _slope(figures: Figures) -> float:
    """KB an object."""
    most = max(figures.rss)
    return (figures.rss[most] - figures.rss[0]) / most / 1000


def notes(figures: dict[str, Figures]) -> list[str]:
    found = []
    for name, item in figures.items():
        sizes = ", ".join(f"{size / 1e6:.0f} MB at {count}" for count, size in sorted(item.rss.items()))
        times = quantiles(item.event_s, n=100) if item.event_s else []
        events = f"; event p50 {times[49] * 1000:.1f} ms, p99 {times[98] * 1000:.1f} ms" if times else ""
        rest = f"; idle {item.idle_cpu_s:.2f} s of CPU, {item.idle_writes} writes" if times else ""
        again = f"; restart {item.restart_s:.2f} s, {item.restart_writes} writes" if item.restart_s else ""
        found.append(
            f"{name}: all Ready in {item.create_s:.1f} s, {item.calls_per_object:.2f} API calls an object"
            f"{rest}{events}{again}; {sizes}"
        )
    return found


async def _run(server: ApiServer, contestants: list[Contestant], sizes: Sizes) -> tuple[Bars, list[str]]:
    headers = {"Authorization": f"Bearer {server.admin_token}"}
    connector = aiohttp.TCPConnector(ssl=False, limit=AT_ONCE)
    async with agent() as listening, aiohttp.ClientSession(headers=headers, connector=connector) as session:
        bench = Bench(server, session, listening, sizes)
        figures = {}
        for contestant in contestants:
            print(f"{contestant.name} …", flush=True)
            figures[contestant.name] = await measure(bench, contestant)
        print("failover …", flush=True)
        seconds, changes = await failover(bench)
        found = bars(figures, sizes)
        found["failover"] = Bar(seconds, 20, "s", at_most=True)
        found["failover-hands"] = Bar(changes, 1, "changes", at_most=True)
        return found, notes(figures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--alone", action="store_true", help="without the other operators")
    parser.add_argument("--idle", type=float, metavar="SECONDS", help="rest for so long in place of ten minutes")
    options = parser.parse_args()
    sizes = QUICK if options.quick else WHOLE
    sizes = replace(sizes, idle_s=options.idle or sizes.idle_s)
    try:
        with alone(Path("build/bench-operator").resolve()):
            contestants = build(alone=options.alone)
            with api_server() as server:
                _lay_out(server)
                found, said = asyncio.run(_run(server, contestants, sizes))
    except AlreadyRunning as error:
        sys.exit(str(error))
    for note in said:
        print(note)
    return report("operator", found, notes=said)


if __name__ == "__main__":
    sys.exit(main())
