"""A3: one to many adapters with Zipf traffic, through the gateway and straight to the same engine, in turns (ABBA)."""

import asyncio
import random
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import aiohttp

from benchmarks import direct
from benchmarks.adapters.stage import STYLES, Stage, adapter, copy_version, save
from benchmarks.load import QUESTION
from service.addresses import connector, root

CALLERS = 16
TOKENS = 16


@dataclass(frozen=True)
class Point:
    """Tokens per second with so many adapters: through the gateway, and straight to its engine."""

    adapters: int
    gateway: float
    engine: float
    ratios: tuple[float, ...]  # one a round

    @property
    def ratio(self) -> float:
        return median(self.ratios)


@dataclass(frozen=True)
class _Way:
    url: str
    key: str
    names: tuple[str, ...]


async def run(stage: Stage, *, counts: tuple[int, ...], seconds: float, rounds: int) -> list[Point]:
    names = [f"z{number:02}" for number in range(max(counts))]
    await asyncio.to_thread(_save, stage, names)
    async with asyncio.timeout(300):
        while not all(stage.status(name).get("active") for name in names):  # noqa: ASYNC110  # another process's file
            await asyncio.sleep(0.2)
    points = []
    for count in counts:
        points.append(await _point(stage, names[:count], seconds, rounds))
        print(f"  {count} adapters: {points[-1].gateway:.0f} tokens/s, straight {points[-1].engine:.0f}", flush=True)
    await asyncio.to_thread((stage.root / "zipf.yaml").unlink)
    return points


def _save(stage: Stage, names: list[str]) -> None:
    items = []
    for number, name in enumerate(names):
        source = copy_version(stage.root / "zipf" / name, STYLES[number % len(STYLES)], name)
        items.append(adapter(name, source))
    save(stage.root / "zipf.yaml", *items)


async def _point(stage: Stage, names: list[str], seconds: float, rounds: int) -> Point:
    gateway = _Way(stage.platform.url.removesuffix("/v1"), stage.platform.keys["acme"], tuple(names))
    behind = direct.engine(stage.platform)
    engine_names = tuple(stage.status(name)["active"]["engineName"] for name in names)
    engine = _Way(behind.url, behind.key, engine_names)
    pairs = []
    for number in range(rounds):
        order = (gateway, engine) if number % 2 == 0 else (engine, gateway)
        found = {way.url: await _tokens_per_second(way, seconds, number) for way in order}
        pairs.append((found[gateway.url], found[engine.url]))
    ours, theirs = zip(*pairs, strict=True)
    return Point(len(names), median(ours), median(theirs), tuple(a / b for a, b in pairs))


async def _tokens_per_second(way: _Way, seconds: float, seed: int) -> float:
    rng = random.Random(seed)
    weights = [1 / rank for rank in range(1, len(way.names) + 1)]
    tokens, end = 0, time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {way.key}"}

    async def caller(session: aiohttp.ClientSession) -> None:
        nonlocal tokens
        while time.monotonic() < end:
            used = await _ask(session, root(way.url), rng.choices(way.names, weights)[0])
            tokens += used  # after the wait: others add meanwhile

    async with aiohttp.ClientSession(
        headers=headers, connector=connector(way.url, limit=0, keepalive_timeout=3)
    ) as session:
        begun = time.monotonic()
        await asyncio.gather(*(caller(session) for _ in range(CALLERS)))
        return tokens / (time.monotonic() - begun)


async def _ask(session: aiohttp.ClientSession, url: str, model: str) -> int:
    body: dict[str, Any] = {
        "model": model, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": TOKENS, "temperature": 0,
    }  # fmt: skip
    async with session.post(f"{url}/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        return int((await response.json())["usage"]["completion_tokens"])
