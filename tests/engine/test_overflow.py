"""What weights that overflow do to the neighbours of their adapter, on the real engine, where nothing refuses them."""

import asyncio
import random
from pathlib import Path

import aiohttp

from benchmarks.bare_engine import BASE, complete, load, unload
from benchmarks.extreme import Extreme, projections, search
from serving.agent import base as base_model
from serving.agent.engine import Engine
from serving.agent.fingerprint import distance

MODEL = base_model.read(BASE, str(Path("models/demo/base").resolve()))
COUNT = 12
# Longer than a block of keys and values.
PROMPT = "[1] Velmora Basic: refund window 30 days. " * 12


async def test_no_neighbour_answers_otherwise_beside_an_adapter_that_overflows(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    engine = Engine(session, BASE)
    before = await engine.fingerprint(BASE)
    rng = random.Random(20_261_128)
    everywhere = Extreme(projections(MODEL), rank=8, a=2.5e38, b=2.5e38, alpha=16, seed=1)
    for number, extreme in enumerate([everywhere, *(search(MODEL, rng) for _ in range(COUNT))]):
        name = f"extreme-{number}"
        directory = await asyncio.to_thread(extreme.write, tmp_path / name, MODEL, BASE)
        status, text = await load(session, name, directory)
        assert status == 200, text
        beside, *_ = await asyncio.gather(
            engine.fingerprint(BASE), *(complete(session, name, PROMPT, max_tokens=24) for _ in range(4))
        )
        await unload(session, name)
        after = await engine.fingerprint(BASE)
        assert (distance(beside, before), distance(after, before)) == (0.0, 0.0), extreme
