"""A2: an object is saved, and its adapter was never seen before: how long until its first token?

Once with nobody else asking, and once beside callers of another adapter. What fetching and verifying take is the
agent's own measure, and is reported apart.
"""

import asyncio
import re
import time
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median
from typing import Any

import aiohttp

from benchmarks.adapters.stage import ALIAS, STYLES, Stage, adapter, copy_version, save
from benchmarks.load import QUESTION, load

CALLERS = 2
LIMIT_S = 30.0
_SUM = re.compile(r"^quiver_agent_adapter_(fetch|verify)_seconds_sum (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Cold:
    """Medians, in seconds."""

    whole: float
    fetch_and_verify: float

    @property
    def rest(self) -> float:
        return self.whole - self.fetch_and_verify


async def run(stage: Stage, *, trials: int, first: int, callers: int) -> Cold:
    """Adapters `first` to `first` + `trials` - 1, one after the other."""
    whole, apart = [], []
    headers = {"Authorization": f"Bearer {stage.platform.keys['acme']}"}
    asking = load(stage.platform, model=ALIAS, callers=callers) if callers else nullcontext()
    async with asking, aiohttp.ClientSession(headers=headers) as session:
        for trial in range(first, first + trials):
            before = await _spent(stage, session)
            whole.append(await _ours(stage, session, trial))
            apart.append(await _spent(stage, session) - before)
    await asyncio.to_thread((stage.root / "cold.yaml").unlink)
    return Cold(median(whole), median(apart))


async def _ours(stage: Stage, session: aiohttp.ClientSession, trial: int) -> float:
    source = stage.root / "cold" / f"{trial:03}"
    await asyncio.to_thread(copy_version, source, STYLES[trial % len(STYLES)], f"cold-{trial}")
    name = f"cold-{trial}"
    begun = time.monotonic()
    await asyncio.to_thread(save, stage.root / "cold.yaml", adapter(name, source))
    async with asyncio.timeout(LIMIT_S):
        while not await _first_token(session, f"{stage.platform.url}/chat/completions", name):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # asking takes a core that the swap needs
    return time.monotonic() - begun


async def _first_token(session: aiohttp.ClientSession, url: str, model: str) -> bool:
    body: dict[str, Any] = {
        "model": model, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 4, "stream": True,
    }  # fmt: skip
    async with session.post(url, json=body) as response:
        if response.status != 200:
            return False
        async for line in response.content:
            if b'"content":"' in line and b'"content":""' not in line:
                return True
    return False


async def _spent(stage: Stage, session: aiohttp.ClientSession) -> float:
    environment = await asyncio.to_thread(lambda: stage.platform.part("serving.agent").environ())
    url = f"http://127.0.0.1:{environment['QUIVER_AGENT_PORT']}/metrics"
    headers = {"Authorization": f"Bearer {environment['QUIVER_AGENT_METRICS_TOKEN']}"}
    async with session.get(url, headers=headers) as response:
        return sum(float(value) for _, value in _SUM.findall(await response.text()))
