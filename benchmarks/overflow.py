"""`make bench-overflow`: what finite but extreme weights do to the neighbours of their adapter.

Protocol: a search over layers, ranks and magnitudes makes 500 adapters. Each is verified, and then loaded into a bare
engine whatever the verdict was, so that the second line of defence is tried as well; a base model's and another
adapter's fingerprints are taken beside its requests and after them, and compared with those from before. The demo's
adapters, scaled up ten times, are to pass verification.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.bare_engine import BASE, HERE, bare_engine, complete, load, unload
from benchmarks.extreme import Extreme, search
from benchmarks.report import Bar, report
from contract.agent import Fingerprint
from serving.agent import base as base_model
from serving.agent.adapter_config import CONFIG
from serving.agent.engine import Engine
from serving.agent.errors import AgentError, RefusedError
from serving.agent.fingerprint import distance
from serving.agent.verify import Rules, verify

ROOT = Path("build/bench-overflow").resolve()
ADAPTERS = HERE / "models/demo/adapters"
NEIGHBOUR = "acme-support-v1"
SEED = 20_261_128
SCALE = 10
PROMPT = "[1] Velmora Basic: refund window 30 days. " * 6
MODEL = base_model.read(BASE, str(HERE / "models/demo/base"))
RULES = Rules(MODEL, max_rank=16)


@dataclass
class Result:
    """`farthest` in nats. `reasons` are those of verification, "" for what it lets pass."""

    farthest: float = 0.0
    changed: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


def verdict(directory: Path) -> str:
    try:
        verify(directory, RULES)
    except RefusedError as error:
        return error.reason
    return ""


def scaled_up() -> int:
    """Adapters of the demo that pass at ten times their scale."""
    passed = 0
    for adapter in ADAPTERS.iterdir():
        directory = Path(shutil.copytree(adapter, ROOT / f"scaled-{adapter.name}"))
        file = directory / CONFIG
        config = json.loads(file.read_text())
        file.write_text(json.dumps({**config, "lora_alpha": config["lora_alpha"] * SCALE}))
        passed += verdict(directory) == ""
    return passed


@dataclass(frozen=True)
class Neighbours:
    """The base model and an adapter, each with its fingerprint from before."""

    engine: Engine
    before: dict[str, Fingerprint]

    async def farthest(self) -> float:
        found = [distance(await self.engine.fingerprint(name), before) for name, before in self.before.items()]
        return max(found)


async def _try(session: aiohttp.ClientSession, neighbours: Neighbours, extreme: Extreme, result: Result) -> None:
    name = f"extreme-{extreme.seed}"
    directory = await asyncio.to_thread(extreme.write, ROOT / name, MODEL, BASE)
    reason = await asyncio.to_thread(verdict, directory)
    result.reasons[reason] = result.reasons.get(reason, 0) + 1
    status, text = await load(session, name, directory)
    if status != 200:
        raise RuntimeError(f"the engine did not load {extreme}: {text}")
    try:
        beside, *_ = await asyncio.gather(
            neighbours.farthest(), *(complete(session, name, PROMPT, max_tokens=8) for _ in range(2))
        )
        await unload(session, name)
        farthest = max(beside, await neighbours.farthest())
    except AgentError as error:
        farthest, beside = float("inf"), 0.0
        print(f"  {extreme}: {error}", flush=True)
    result.farthest = max(result.farthest, farthest)
    if farthest > 0:
        result.changed.append(f"{extreme}: {farthest} nats")
    await asyncio.to_thread(shutil.rmtree, directory)


async def _measured(count: int) -> Result:
    result, rng = Result(), random.Random(SEED)
    with bare_engine(ROOT / "engine.log") as engine:
        async with engine.session() as session:
            await load(session, NEIGHBOUR, ADAPTERS / NEIGHBOUR)
            agent = Engine(session, BASE)
            neighbours = Neighbours(agent, {name: await agent.fingerprint(name) for name in (BASE, NEIGHBOUR)})
            for number in range(count):
                await _try(session, neighbours, search(MODEL, rng), result)
                if number % 50 == 49:
                    print(f"  {number + 1} of {count}: {result.reasons}, farthest {result.farthest}", flush=True)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    count = 60 if parser.parse_args().quick else 500
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    passed = scaled_up()
    result = asyncio.run(_measured(count))
    bars = {
        "overflow": Bar(result.farthest, 0.0, "nats", at_most=True),
        "adapters": Bar(sum(result.reasons.values()), count, "adapters"),
        "scaled-up": Bar(passed, len(list(ADAPTERS.iterdir())), "adapters"),
    }
    return report("overflow", bars, notes=[f"verdicts: {result.reasons}", *result.changed[:20]])


if __name__ == "__main__":
    sys.exit(main())
