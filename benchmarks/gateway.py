"""`make bench-gateway ARGS="--against COMMIT"`: the gateway's processor time beside that of another commit's gateway.

Protocol: both gateways run on the same objects and the same real engine, started anew for each of twelve trials; in
turns (ABBA) each answers the same requests: whole answers of one token for the cost of a request, streamed answers of
many tokens for the cost of a chunk. Counted is the time on a processor of all the process's threads, from /proc.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp

from benchmarks import direct, quality
from benchmarks.load import QUESTION
from benchmarks.report import Bar, report
from examples.demo.platform import Platform, end_with_parent
from operators.local.layout import free_port

ROOT = Path("build/bench-gateway").resolve()
REPOSITORY = Path(__file__).parents[1]
CALLERS = 8
TOKENS = 128
BAR = 1.05
START_LIMIT_S = 60.0
_FIELDS = """
import json
from contract.base_model import BaseModelSpec
print(json.dumps([field.alias or name for name, field in BaseModelSpec.model_fields.items()]))
"""


@dataclass(frozen=True)
class Contestant:
    url: str
    pid: int

    def cpu_s(self) -> float:
        """Of all threads (https://docs.kernel.org/scheduler/sched-stats.html)."""
        stats = (path.read_text() for path in Path(f"/proc/{self.pid}/task").glob("*/schedstat"))
        return sum(int(text.split()[0]) for text in stats) / 1e9


@dataclass(frozen=True)
class Work:
    """`body` asked `count` times; the cost is per answer, or per event of a stream."""

    name: str
    body: dict[str, Any]
    count: int


def works(*, quick: bool) -> tuple[Work, ...]:
    messages = [{"role": "user", "content": QUESTION}]
    one = {"model": "quiver-demo", "messages": messages, "max_tokens": 1, "temperature": 0}
    stream = {**one, "max_tokens": TOKENS, "temperature": 2, "stream": True}  # so random a text seldom ends early
    scale = 1 if quick else 2
    return Work("request", one, 150 * scale), Work("chunk", stream, 16 * scale)


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    folder = ROOT / "before"
    subprocess.run(["git", "worktree", "add", "--quiet", "--force", "--detach", folder, commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", folder], check=True)


@contextmanager
def gateway(platform: Platform, code: Path, snapshot: Path) -> Iterator[Contestant]:
    """The gateway of a checkout, as the running platform starts its own."""
    port = free_port()
    running_one = platform.part("serving.gateway").environ()
    environment = {
        **{name: value for name, value in running_one.items() if not name.endswith("SOCKET")},  # those are its own
        "QUIVER_GATEWAY_PORT": str(port),
        "QUIVER_GATEWAY_INTERNAL_PORT": str(free_port()),
        "QUIVER_GATEWAY_SNAPSHOT": str(snapshot),
        "PYTHONPATH": str(code),
        "PYTHONHASHSEED": "0",
    }
    command = [sys.executable, "-m", "serving.gateway"]
    process = subprocess.Popen(command, cwd=code, env=environment, preexec_fn=end_with_parent)
    try:
        yield Contestant(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait()


async def _wait(session: aiohttp.ClientSession, contestant: Contestant) -> None:
    async with asyncio.timeout(START_LIMIT_S):
        while True:
            try:
                async with session.get(f"{contestant.url}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def _cost_us(session: aiohttp.ClientSession, contestant: Contestant, work: Work) -> float:
    """Of one answer, or of one event, in microseconds of processor time."""
    remaining = iter(range(work.count))

    async def caller() -> int:
        events = 0
        for _ in remaining:
            async with session.post(f"{contestant.url}/v1/chat/completions", json=work.body) as response:
                text = await response.read()
            if response.status != 200:
                raise RuntimeError(f"status {response.status}: {text[:200]!r}")
            events += text.count(b"\n\n") if "stream" in work.body else 1
        return events

    before = contestant.cpu_s()
    events = sum(await asyncio.gather(*(caller() for _ in range(CALLERS))))
    return (contestant.cpu_s() - before) / events * 1e6


async def _ratios(platform: Platform, pair: tuple[Contestant, Contestant], *, quick: bool) -> dict[str, float]:
    """Of ours to the other's cost, each the sum of two turns (ABBA)."""
    headers = {"authorization": f"Bearer {platform.keys['acme']}"}
    ratios = {}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(keepalive_timeout=3)) as session:
        for contestant in pair:
            await _wait(session, contestant)
        for work in works(quick=quick):
            costs = dict.fromkeys(pair, 0.0)
            for warm, contestant in ((True, pair[0]), (True, pair[1]), *((False, pair[n]) for n in (0, 1, 1, 0))):
                cost = await _cost_us(session, contestant, work)
                costs[contestant] += 0 if warm else cost
            ours, theirs = costs[pair[0]] / 2, costs[pair[1]] / 2
            print(f"  {work.name}: {ours:.0f} µs, before {theirs:.0f} µs", flush=True)
            ratios[work.name] = ours / theirs
    return ratios


def _measured(platform: Platform, commit: str, *, quick: bool) -> dict[str, list[float]]:
    """Every trial starts both anew, now one first: how a process lies in memory alone costs it up to 7 %."""
    found: dict[str, list[float]] = {}
    with checkout(commit) as before, direct.on_tcp(direct.engine(platform).url) as engine_url:
        snapshot = _readable(platform, before, engine_url)
        for trial in range(4 if quick else 12):
            first, second = (REPOSITORY, before) if trial % 2 == 0 else (before, REPOSITORY)
            with gateway(platform, first, snapshot) as one, gateway(platform, second, snapshot) as other:
                pair = (one, other) if first is REPOSITORY else (other, one)
                for name, ratio in asyncio.run(_ratios(platform, pair, quick=quick)).items():
                    found.setdefault(name, []).append(ratio)
    return found


def _readable(platform: Platform, before: Path, engine_url: str) -> Path:
    """The platform's objects, less those fields of base models that the other commit does not have."""
    command = [sys.executable, "-c", _FIELDS]
    names = json.loads(subprocess.check_output(command, cwd=before, text=True))
    snapshot = platform.snapshot
    for base in snapshot["objects"]["baseModels"]:
        base["spec"] = {name: value for name, value in base["spec"].items() if name in names}
        for endpoint in base["status"]["endpoints"]:
            endpoint["url"] = engine_url
    for tenant in snapshot["objects"]["tenants"]:
        tenant.pop("status", None)  # no gateway needs it
    for key in snapshot["objects"]["apiKeys"]:
        key["spec"].pop("prefix", None)
    path = ROOT / "snapshot.json"
    path.write_text(json.dumps(snapshot))
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--against", default="HEAD^", metavar="COMMIT")
    options = parser.parse_args()
    with quality.without_limits(ROOT, "gateway") as platform:
        ratios = _measured(platform, options.against, quick=options.quick)
    bars = {name: Bar(median(values), BAR, "times", at_most=True) for name, values in ratios.items()}
    notes = [f"against {options.against}", *(f"{name}: {values}" for name, values in ratios.items())]
    return report("gateway", bars, notes=notes)


if __name__ == "__main__":
    sys.exit(main())
