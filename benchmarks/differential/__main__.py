"""`make bench-differential`: is every adapter accepted that the engine serves as it was trained, and no other?

Protocol: PEFT makes an adapter of each configuration and answers four prompts with it, in float32. Each is verified,
and loaded into a bare engine of float32 whatever the verdict was. The engine serves it as trained where the logarithms
of the probabilities of its twenty most likely next tokens are PEFT's, to 0.02.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.bare_engine import BASE, HERE, bare_engine, load, unload
from benchmarks.differential.cases import Case, cases
from benchmarks.first_tokens import distances
from benchmarks.report import Bar, report
from operators.settings import Settings
from serving.agent import base as base_model
from serving.agent.errors import RefusedError
from serving.agent.verify import Rules, verify

ROOT = Path("build/bench-differential").resolve()
MODEL = HERE / "models/demo/base"
RULES = Rules(base_model.read(BASE, str(MODEL)), max_rank=16)
TOLERANCE = 0.02  # nats
# Where our verdict is another one than the engine's, and why.
EXCEPTIONS: Mapping[str, str] = {
    "rank-pattern-explodes": "matching it would stop the engine; it is not loaded",
    "a-layer-too-many": "the engine leaves the layer out without a word; it was trained on another model",
    "other-method": "its tensors are those of a LoRA, its configuration says otherwise: it is not served as either",
}


def _verdict(directory: Path) -> str:
    """The reason of a refusal, "" for what is accepted."""
    try:
        verify(directory, RULES)
    except RefusedError as error:
        return f"{error.reason}: {error.message}"
    return ""


async def _served(session: aiohttp.ClientSession, case: Case, reference: Mapping[str, Any]) -> str:
    """What the engine does, nothing where it answers as PEFT does."""
    right = reference["adapters"][case.name]
    status, text = await load(session, case.name, ROOT / case.name)
    if status != 200:
        return f"the engine refuses it: {text[:200]}"
    try:
        if isinstance(right, str):
            return f"PEFT does not load it: {right[:100]}"
        farthest = max(await distances(session, case.name, reference["prompts"], right))
        return "" if farthest <= TOLERANCE else f"{farthest:.2f} nats from PEFT's answers"
    finally:
        await unload(session, case.name)


async def _compared(reference: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """By case: our verdict, and the engine's."""
    found: dict[str, tuple[str, str]] = {}
    with bare_engine(ROOT / "engine.log", dtype="float32") as engine:
        async with engine.session() as session:
            for case in cases():
                verdict = await asyncio.to_thread(_verdict, ROOT / case.name)
                loaded = case.name not in EXCEPTIONS
                served = await _served(session, case, reference) if loaded else EXCEPTIONS[case.name]
                found[case.name] = verdict, served
                print(f"  {case.name:28} {_word(verdict):9} {served or 'served as trained'}", flush=True)
    return found


def _word(verdict: str) -> str:
    return "refused" if verdict else "accepted"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the same: it takes two minutes")
    parser.parse_args()
    python = str(Settings().engine_python)
    ROOT.mkdir(parents=True, exist_ok=True)
    with (ROOT.parent / "bench-differential.log").open("wb") as log:
        command = [python, "-m", "benchmarks.differential.reference", str(MODEL), str(ROOT)]
        subprocess.run(command, check=True, stdout=log, stderr=log, cwd=HERE)
    found = asyncio.run(_compared(json.loads((ROOT / "reference.json").read_text())))
    refused = [f"{name}: {verdict}" for name, (verdict, served) in found.items() if verdict and not served]
    accepted = [f"{name}: {served}" for name, (verdict, served) in found.items() if served and not verdict]
    bars = {
        "differential": Bar(len(refused) + len(accepted), 0, "verdicts", at_most=True),
        "configurations": Bar(len(found), 60, "adapters"),
    }
    exceptions = [f"exception {name}: {why}" for name, why in EXCEPTIONS.items()]
    wrong = [f"refused, and served as trained: {item}" for item in refused]
    return report(
        "differential", bars, notes=[*wrong, *(f"accepted, and not served: {item}" for item in accepted), *exceptions]
    )


if __name__ == "__main__":
    sys.exit(main())
