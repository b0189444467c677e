"""Is a version told from one that is a single optimiser step away, and are identical weights left alone?

A permutation test on the agent's own distance, with other requests in the same batches; and how often identical
weights, loaded under names of their own, come out further apart than the agent's tolerance.
"""

import asyncio
import random
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import aiohttp

from benchmarks.adapters.stage import REPOSITORY, TRAINED
from benchmarks.bare_engine import BASE, BareEngine, complete, load, unload
from contract.agent import Fingerprint
from operators.settings import Settings
from serving.agent.engine import Engine
from serving.agent.fingerprint import TOLERANCE, distance

ADAPTER = "acme-support-v1"
NOISE = 4
GROUP = 20
PERMUTATIONS = 2000


@dataclass(frozen=True)
class Told:
    """`step` is the least distance to the version a step away, `noise` the largest between identical weights."""

    p_value: float
    step: float
    noise: float
    comparisons: int
    false_alarms: int


async def run(bare: BareEngine, folder: Path, *, comparisons: int) -> Told:
    nudged = await asyncio.to_thread(_nudged, folder)
    async with bare.session() as session:
        engine = Engine(session, BASE)
        for name, path in (("one", TRAINED / ADAPTER), ("same", TRAINED / ADAPTER), ("step", nudged)):
            await load(session, name, path)
        async with _noise(session):
            same = [await engine.fingerprint(("one", "same")[turn % 2]) for turn in range(comparisons + 1)]
            step = [await engine.fingerprint("step") for _ in range(GROUP)]
        for name in ("one", "same", "step"):
            await unload(session, name)
    apart = [distance(one, other) for one, other in pairwise(same)]
    return Told(
        p_value=_p_value(same[:GROUP], step),
        step=min(distance(same[0], other) for other in step),
        noise=max(apart),
        comparisons=len(apart),
        false_alarms=sum(found > TOLERANCE for found in apart),
    )


def _nudged(folder: Path) -> Path:
    command = [str(Settings().engine_python), "-m", "models.demo.nudge_adapter", str(TRAINED / ADAPTER)]
    subprocess.run([*command, str(folder / "nudged")], check=True, cwd=REPOSITORY, capture_output=True)
    return folder / "nudged"


def _p_value(one: Sequence[Fingerprint], other: Sequence[Fingerprint]) -> float:
    """How often groups drawn at random are as far apart as these two are."""
    rng, everything = random.Random(0), [*one, *other]
    found = [[distance(a, b) for b in everything] for a in everything]
    places = list(range(len(everything)))

    def between() -> float:
        first, second = places[: len(one)], places[len(one) :]
        return fmean(found[a][b] for a in first for b in second)

    seen, larger = between(), 0
    for _ in range(PERMUTATIONS):
        rng.shuffle(places)
        larger += between() >= seen
    return (larger + 1) / (PERMUTATIONS + 1)


@asynccontextmanager
async def _noise(session: aiohttp.ClientSession) -> AsyncIterator[None]:
    """Callers of every model, with prompts of any length."""
    rng = random.Random(1)

    async def caller() -> None:
        while True:
            name = rng.choice((BASE, "one", "same", "step"))
            await complete(session, name, "The " * rng.randint(1, 60), max_tokens=rng.randint(1, 16), temperature=1)

    tasks = [asyncio.create_task(caller()) for _ in range(NOISE)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
