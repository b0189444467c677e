"""S8: hostile artifacts as adapters of a running platform: each is refused for its own reason, and the engine never
hears of one."""

import asyncio
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.adapters.stage import REPOSITORY, TRAINED, Stage, adapter, save
from benchmarks.hostile import Fit, Hostile, all_hostile, write
from contract.conditions import FETCHED, FETCHING
from serving.agent import base

MODULE = "model.layers.0.self_attn.q_proj"
BATCH = 20  # within the base model's slots
LIMIT_S = 60.0


@dataclass
class Refusals:
    """`otherwise` maps what was let through, or refused for another reason, to what was said."""

    files: int = 0
    otherwise: dict[str, str] = field(default_factory=dict)
    engine_restarted: bool = False
    engine_heard: int = 0


async def run(stage: Stage) -> Refusals:
    found, fit = Refusals(), await asyncio.to_thread(_fit)
    engine = await asyncio.to_thread(lambda: stage.platform.part("vllm.entrypoints.openai.api_server"))
    items = [*all_hostile(fit), *_of_sources(fit)]
    for begin in range(0, len(items), BATCH):
        await _batch(stage, found, items[begin : begin + BATCH], begin)
    await asyncio.to_thread((stage.root / "hostile.yaml").unlink)
    found.engine_restarted = not engine.is_running()
    log = (stage.root / ".quiver" / "logs" / "engine-quiver-demo.log").read_text(errors="replace")
    found.engine_heard = len(re.findall(r"acme\.hostile-", log))
    return found


def _fit() -> Fit:
    outputs, inputs = base.read("quiver-demo", str(REPOSITORY / "models/demo/base")).shape(MODULE) or (0, 0)
    return Fit("quiver-demo", MODULE, inputs, outputs)


async def _batch(stage: Stage, found: Refusals, items: list[Hostile], begin: int) -> None:
    """One file of objects; the next batch takes its place."""
    objects = []
    for number, item in enumerate(items, begin):
        directory = stage.root / "hostile" / f"{number:03}"
        await asyncio.to_thread(item.write, directory)
        objects.append(adapter(f"hostile-{number}", directory, **_spec(item)))
    await asyncio.to_thread(save, stage.root / "hostile.yaml", *objects)
    for number, item in enumerate(items, begin):
        said = await _reason(stage, f"hostile-{number}")
        found.files += 1
        if said != item.reason:
            found.otherwise[item.what] = said


async def _reason(stage: Stage, name: str) -> str:
    try:
        async with asyncio.timeout(LIMIT_S):
            while True:
                conditions: list[dict[str, Any]] = stage.status(name).get("conditions", [])
                fetched = next((c for c in conditions if c["type"] == FETCHED), None)
                if fetched and fetched["reason"] != FETCHING:
                    return str(fetched["reason"])
                await asyncio.sleep(0.02)
    except TimeoutError:
        return "nothing was said"


def _spec(item: Hostile) -> dict[str, Any]:
    return {"digest": "0" * 64} if item.reason == "DigestMismatch" else {}


def _of_sources(fit: Fit) -> list[Hostile]:
    """What only a source can be: nothing, a pickle by its name, something else than was pinned."""

    def pickled(directory: Path) -> None:
        write(directory, fit=fit)
        (directory / "adapter_model.safetensors").rename(directory / "adapter_model.bin")

    def without(name: str) -> Any:
        def change(directory: Path) -> None:
            write(directory, fit=fit)
            (directory / name).unlink()

        return change

    return [
        Hostile("nothing there", "SourceMissing", lambda directory: None),
        Hostile("weights as a pickle", "Pickle", pickled),
        Hostile("no weights", "FileMissing", without("adapter_model.safetensors")),
        Hostile("no configuration", "FileMissing", without("adapter_config.json")),
        Hostile("other content than was pinned", "DigestMismatch",
                lambda directory: _discard(shutil.copytree(TRAINED / "acme-support-v1", directory))),
    ]  # fmt: skip


def _discard(_: object) -> None:
    return None
