"""Compares a DoRA with a plain LoRA on one engine: distance from PEFT, effect on others, throughput."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp

from benchmarks.bare_engine import BASE, BareEngine, complete, load, unload
from benchmarks.first_tokens import Ids, distances, peft_answers
from benchmarks.tuning.trained import DEMO

AT_ONCE, TOKENS = 32, 64


@dataclass(frozen=True)
class Compared:
    """The largest distances from PEFT, in nats; how many first tokens of the base and the plain LoRA are others once
    the DoRA is loaded; the DoRA's tokens a second as a multiple of the plain's."""

    plain: float
    dora: float
    others: int
    throughput: float


async def compared(engine: BareEngine, plain: Path, dora: Path, prompts: Sequence[Ids], rounds: int) -> Compared:
    right = await asyncio.to_thread(peft_answers, DEMO, {"plain": plain, "dora": dora}, prompts)
    async with engine.session() as session:
        await load(session, "plain", plain)
        before = [await _first_tokens(session, name, prompts) for name in (BASE, "plain")]
        await load(session, "dora", dora)
        far = {name: max(await distances(session, name, prompts, right[name])) for name in right}
        after = [await _first_tokens(session, name, prompts) for name in (BASE, "plain")]
        changed = sum(a != b for one, other in zip(before, after, strict=True) for a, b in zip(one, other, strict=True))
        ratios = [await _ratio(session, prompts) for _ in range(rounds)]
        for name in right:
            await unload(session, name)
    return Compared(far["plain"], far["dora"], changed, median(ratios) if ratios else 0.0)


async def _first_tokens(session: aiohttp.ClientSession, name: str, prompts: Sequence[Ids]) -> list[object]:
    """The log-probabilities of first tokens, of one request with all prompts: the same batches each time."""
    body = {"model": name, "prompt": prompts, "max_tokens": 1, "temperature": 0, "logprobs": 5}
    async with session.post("/v1/completions", json=body) as response:
        choices = (await response.json())["choices"]
    return [choice["logprobs"]["top_logprobs"] for choice in sorted(choices, key=lambda choice: int(choice["index"]))]


async def _ratio(session: aiohttp.ClientSession, prompts: Sequence[Ids]) -> float:
    """Of tokens a second, the DoRA's by the plain LoRA's, one after the other."""
    seconds = []
    for name in ("plain", "dora"):
        begun = time.monotonic()
        answers = (complete(session, name, ids, max_tokens=TOKENS, ignore_eos=True) for ids in prompts[:AT_ONCE])
        await asyncio.gather(*answers)
        seconds.append(time.monotonic() - begun)
    return seconds[0] / seconds[1]
