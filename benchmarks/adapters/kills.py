"""SIGKILL of the agent or the engine at random moments of a swap: whatever happens, the new version comes to answer."""

import asyncio
import random
import re
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.adapters.stage import Stage
from serving.agent import base
from serving.agent.store import Store
from serving.agent.verify import Rules

AGENT, ENGINE = "serving.agent", "vllm.entrypoints.openai.api_server"
# An agent may be killed while the engine is still coming back from the kill before.
LIMIT_S = 240.0
# A swap on an idle machine takes about this long, from the save to the acknowledgement.
SWAP_S = 1.0
_LOADED = re.compile(r"path '([^']+)'")


@dataclass
class Kills:
    """`recovered_s` by part, in seconds from the kill to the new version's acknowledgement."""

    recovered_s: dict[str, list[float]] = field(default_factory=lambda: {AGENT: [], ENGINE: []})
    stuck: int = 0
    unverified_loads: int = 0
    damaged_versions: int = 0


async def run(stage: Stage, *, agents: int, engines: int, seed: int = 0) -> Kills:
    rng, found = random.Random(seed), Kills()
    parts = [AGENT] * agents + [ENGINE] * engines
    rng.shuffle(parts)
    await stage.flip()
    for number, part in enumerate(parts, 1):
        await _kill(stage, found, part, rng.uniform(0, SWAP_S))
        print(f"  kill {number} of {len(parts)}: {part.split('.')[0]}, {found.stuck} stuck", flush=True)
    await asyncio.to_thread(_inspect, stage, found)
    return found


async def _kill(stage: Stage, found: Kills, part: str, moment: float) -> None:
    victim = await asyncio.to_thread(stage.platform.part, part)
    flip = asyncio.create_task(stage.flip(limit_s=LIMIT_S))
    await asyncio.sleep(moment)
    killed = time.monotonic()
    victim.send_signal(signal.SIGKILL)
    try:
        await flip
        found.recovered_s[part].append(time.monotonic() - killed)
        await asyncio.to_thread(_wait_for, stage, part, victim)
    except TimeoutError:
        found.stuck += 1


def _wait_for(stage: Stage, part: str, victim: psutil.Process) -> None:
    """The flip may have been through before the kill: then what was killed has to come back all the same."""
    stage.platform.wait_until(lambda: _is_back(stage, part, victim), what=f"new {part}", limit_s=LIMIT_S)


def _is_back(stage: Stage, part: str, victim: psutil.Process) -> bool:
    try:
        back = stage.platform.part(part).pid != victim.pid
    except (StopIteration, psutil.NoSuchProcess):
        return False
    endpoint = stage.platform.objects("baseModels")[0]["status"]["endpoints"][0]
    return (
        back and bool(endpoint["ready"]) and stage.status()["active"]["engineName"] in stage.platform.answering_versions
    )


def _inspect(stage: Stage, found: Kills) -> None:
    """Every version in the store is whole and right; nothing outside of it was ever loaded."""
    folder = stage.root / ".quiver" / "store" / "quiver-demo"
    digests = [path.name for path in folder.iterdir() if re.fullmatch(r"[0-9a-f]{64}", path.name)]
    if not digests:
        raise RuntimeError(f"{folder} holds no version: nothing was inspected")
    spec = stage.platform.objects("baseModels")[0]["spec"]
    rules = Rules(base.read("quiver-demo", spec["source"]), spec["lora"]["maxRank"])
    with tempfile.TemporaryDirectory() as copy:  # of the live store, which an inspection must not touch
        for digest in digests:
            shutil.copytree(folder / digest, Path(copy) / digest)
        store = Store(Path(copy))
        found.damaged_versions = sum(not store.check(digest, rules) for digest in digests)
    logs = (stage.root / ".quiver" / "logs").glob("engine-quiver-demo.log*")
    paths = [path for log in logs for path in _LOADED.findall(log.read_text(errors="replace"))]
    if not paths:
        raise RuntimeError("no load is in the engine's log: nothing was inspected")
    found.unverified_loads = sum(not re.fullmatch(rf"{re.escape(str(folder))}/[0-9a-f]{{64}}", path) for path in paths)
