"""A7 and A8: more adapters than an engine has places for, each on a platform of its own protocol.

One caller asks first, so that each answer's wait for a load is its own: what the engine's plugin counts meanwhile says
whether an adapter was in memory. Then several callers ask beside flips of an adapter that stays in memory. For A8 all
adapters of a tenant want to stay there, and another tenant releases one after the other.
"""

import asyncio
import itertools
import json
import random
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from benchmarks.adapters import swaps
from benchmarks.adapters.stage import LIMITS, REPOSITORY, STYLES, Stage, adapter, copy_version, save, style_of
from benchmarks.bare_engine import BASE, BareEngine, load, unload
from benchmarks.load import QUESTION
from contract.engine_memory import COUNTS, FORMAT
from examples.demo.platform import Platform, running
from serving.engine.eviction import Eviction

PLACES = 16
SLOTS = 4
CALLERS = 3
WARM_UP = 0.25  # part of the requests
MOST_BARE = 100
RELEASE_LIMIT_S = 60.0
_NOTHING: frozenset[str] = frozenset()


@dataclass
class OnDemand:
    """`cold` are seconds to the first token of requests whose adapter was not in memory, `bare` those of a load call
    and a request on a bare engine. `wrong` answers are in another adapter's style."""

    adapters: int
    hits: int = 0
    requests: int = 0
    simulated: float = 0.0
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    failed: int = 0
    wrong: int = 0
    flips: swaps.Counts = field(default_factory=swaps.Counts)

    @property
    def hit_rate(self) -> float:
        return self.hits / max(1, self.requests)


async def run(root: Path, bare: BareEngine, *, adapters: int, requests: int, flips: int) -> OnDemand:
    trace = _trace(adapters, requests)
    found = OnDemand(adapters, simulated=_simulated(trace))
    with _platform(root, adapters, "OnDemand") as platform:
        headers = {"Authorization": f"Bearer {platform.keys['acme']}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            crowd = _Crowd(platform, session, found)
            await crowd.one_by_one(trace)
            await crowd.beside_flips(trace, flips)
        found.bare = await _bare(bare, root, min(MOST_BARE, adapters))
    return found


async def releases(root: Path, *, adapters: int, trials: int) -> list[float]:
    """Seconds from the save of another tenant's adapter to its first token, while one tenant's adapters have all places
    in memory and want more."""
    with _platform(root, adapters, "Everywhere") as platform:
        return [await _release(platform, root, f"newcomer-{trial}") for trial in range(trials)]


def _trace(adapters: int, requests: int) -> list[int]:
    """Adapters by Zipf's law with exponent 1."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, adapters + 1)))
    return random.Random(adapters).choices(range(adapters), cum_weights=weights, k=requests)


def _simulated(trace: Sequence[int]) -> float:
    """The share of requests after the warm-up whose adapter is in memory, if aged counts decide which one leaves."""
    eviction, in_memory, hits = Eviction(PLACES), set[str](), 0
    first = int(len(trace) * WARM_UP)
    for number, name in enumerate(map(str, trace)):
        eviction.use(name)
        hits += number >= first and name in in_memory
        if name not in in_memory and len(in_memory) == PLACES:
            in_memory.remove(eviction.victim(in_memory, in_use=_NOTHING, resident=_NOTHING))
        in_memory.add(name)
    return hits / (len(trace) - first)


@contextmanager
def _platform(root: Path, adapters: int, mode: str) -> Iterator[Platform]:
    _objects(root, adapters, mode)
    with running(root, tenants=("acme", "globex"), out=sys.stderr) as platform:
        platform.wait_until(lambda: platform.objects("baseModels"), what="objects")
        platform.wait_until_ready()
        yield platform


def _objects(root: Path, adapters: int, mode: str) -> None:
    root.mkdir(parents=True)
    items = list(yaml.safe_load_all((REPOSITORY / "examples/demo/platform.yaml").read_text()))
    for item in items:
        if item["kind"] == "BaseModel":
            item["spec"]["source"] = str(REPOSITORY / "models/demo/base")
            item["spec"]["lora"] |= {"slots": SLOTS, "cpuSlots": PLACES, "onDemand": adapters + 100}
        else:
            item["spec"] |= {"maxAdapters": adapters + 10, "limits": LIMITS}
    (root / "platform.yaml").write_text(yaml.safe_dump_all(items))
    for number in range(adapters):
        copy_version(root / "crowd" / str(number), STYLES[number % len(STYLES)], f"crowd-{number}")
    items = [
        adapter(f"crowd-{number}", root / "crowd" / str(number), residency={"mode": mode}) for number in range(adapters)
    ]
    save(root / "crowd.yaml", *items)


class _Crowd:
    """Callers of the platform's adapters."""

    def __init__(self, platform: Platform, session: aiohttp.ClientSession, found: OnDemand) -> None:
        self._platform = platform
        self._session = session
        self._found = found

    async def one_by_one(self, trace: Sequence[int]) -> None:
        found = self._found
        for turn, number in enumerate(trace):
            before = await asyncio.to_thread(self._misses)
            seconds = await self._ask(number)
            if turn < len(trace) * WARM_UP or seconds is None:
                continue
            was_in_memory = await asyncio.to_thread(self._misses) == before
            found.requests += 1
            found.hits += was_in_memory
            (found.warm if was_in_memory else found.cold).append(seconds)

    async def beside_flips(self, trace: Sequence[int], flips: int) -> None:
        """Flips of an adapter that stays in memory, under load, while the crowd is asked."""
        stage, numbers, is_over = Stage(self._platform), itertools.cycle(trace), asyncio.Event()
        await stage.flip()

        async def caller() -> None:
            while not is_over.is_set():
                await self._ask(next(numbers))

        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller())
            await swaps.block(self._found.flips, stage, flips)
            is_over.set()

    def _misses(self) -> int:
        """0 before the engine's first request for an adapter."""
        path = self._platform.root / ".quiver" / "store" / BASE / COUNTS
        return int(struct.unpack(FORMAT, path.read_bytes())[1]) if path.exists() else 0

    async def _ask(self, number: int) -> float | None:
        """Seconds to the first token; None after a failure."""
        first, text = await _answer(self._session, f"{self._platform.url}/chat/completions", f"crowd-{number}")
        if first is None:
            self._found.failed += 1
        elif style_of(text) != STYLES[number % len(STYLES)]:
            self._found.wrong += 1
        return first


async def _answer(session: aiohttp.ClientSession, url: str, model: str) -> tuple[float | None, str]:
    """Seconds to the first token, None without a whole answer; and the text."""
    body: dict[str, Any] = {
        "model": model, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 32, "stream": True,
        "temperature": 0,
    }  # fmt: skip
    begun, first, text, is_whole = time.monotonic(), None, "", False
    async with session.post(url, json=body) as response:
        async for line in response.content:
            is_whole |= line.startswith(b"data: [DONE]")
            if content := _content(line):
                first = first or time.monotonic() - begun
                text += content
    return (first if is_whole else None), text


def _content(line: bytes) -> str:
    if not line.startswith(b"data: {"):
        return ""
    choices = json.loads(line.removeprefix(b"data: ")).get("choices") or [{}]
    return str(choices[0].get("delta", {}).get("content") or "")


async def _bare(bare: BareEngine, root: Path, trials: int) -> list[float]:
    """Seconds of a load call and a request until its first token."""
    seconds = []
    async with bare.session() as session:
        for trial in range(trials):
            begun = time.monotonic()
            await load(session, f"bare-{trial}", root / "crowd" / str(trial))
            first, _ = await _answer(session, "/v1/chat/completions", f"bare-{trial}")
            if first is None:
                raise RuntimeError(f"the bare engine does not answer for bare-{trial}")
            seconds.append(time.monotonic() - begun)
            await unload(session, f"bare-{trial}")
    return seconds


async def _release(platform: Platform, root: Path, name: str) -> float:
    item = adapter(name, await asyncio.to_thread(copy_version, root / name, STYLES[0], name))
    item["metadata"]["namespace"] = "globex"
    headers = {"Authorization": f"Bearer {platform.keys['globex']}"}
    async with aiohttp.ClientSession(headers=headers) as session, asyncio.timeout(RELEASE_LIMIT_S):
        begun = time.monotonic()
        await asyncio.to_thread(save, root / f"{name}.yaml", item)
        while (await _answer(session, f"{platform.url}/chat/completions", name))[0] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return time.monotonic() - begun
