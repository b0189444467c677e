"""A2: an object is saved, and its adapter was never seen before: how long until its first token?

Against a bare load call and a request on a bare engine, turn by turn. What fetching and verifying take is the agent's
own measure, and is reported apart.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import aiohttp

from benchmarks.adapters.stage import STYLES, Stage, adapter, copy_version, save
from benchmarks.bare_engine import BareEngine, load, unload
from benchmarks.load import QUESTION

LIMIT_S = 30.0
_SUM = re.compile(r"^quiver_agent_adapter_(fetch|verify)_seconds_sum (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Cold:
    """Medians, in seconds."""

    ours: float
    fetch_and_verify: float
    bare: float

    @property
    def ratio(self) -> float:
        return (self.ours - self.fetch_and_verify) / self.bare


async def run(stage: Stage, bare: BareEngine, *, trials: int) -> Cold:
    ours, apart, theirs = [], [], []
    platform = stage.platform
    headers = {"Authorization": f"Bearer {platform.keys['acme']}"}
    async with bare.session() as direct, aiohttp.ClientSession(headers=headers) as session:
        for trial in range(trials):
            before = await _spent(stage, session)
            ours.append(await _ours(stage, session, trial))
            apart.append(await _spent(stage, session) - before)
            theirs.append(await _bare(stage, direct, trial))
    await asyncio.to_thread((stage.root / "cold.yaml").unlink)
    return Cold(median(ours), median(apart), median(theirs))


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


async def _bare(stage: Stage, session: aiohttp.ClientSession, trial: int) -> float:
    source = stage.root / "cold-bare" / f"{trial:03}"
    await asyncio.to_thread(copy_version, source, STYLES[trial % len(STYLES)], f"bare-{trial}")
    begun = time.monotonic()
    await load(session, f"cold-{trial}", source)
    if not await _first_token(session, "/v1/chat/completions", f"cold-{trial}"):
        raise RuntimeError(f"the bare engine does not answer for cold-{trial}")
    seconds = time.monotonic() - begun
    await unload(session, f"cold-{trial}")
    return seconds


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
