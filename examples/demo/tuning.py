"""`make demo ARGS=--tune`: from a tenant's examples and documents to an adapter in use, a comparison, and advice.

Everything is said by objects: a FineTune, an adapter whose source is its result, and an Evaluation.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import openai
import yaml

from examples.demo import training
from examples.demo.platform import QUIVER, Platform, is_ready

ADAPTER = "api"
FOLDER = "./documents/acme/training"
_CALLERS = 4
_OLD = "  source: ../../models/demo/adapters/acme-api-v1\n"

Say = Callable[[str], None]


@dataclass
class Figures:
    """`canary` is the number of requests during the canary; `failed` are those without an answer in the style."""

    trained_s: float = 0.0
    held_out_loss: float = 0.0
    promoted: bool = False
    canary: int = 0
    failed: int = 0
    winner: str = ""
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def missed(self) -> list[str]:
        facts = {
            "the adapter was not promoted": self.promoted,
            f"{self.failed} requests failed during the canary": not self.failed,
            "no variant with documents won": self.winner in ("documents", "both"),
            "the advice names no documents": "documents" in self.advice,
        }
        return [fault for fault, holds in facts.items() if not holds]


class TuningTour:
    def __init__(self, platform: Platform, say: Say) -> None:
        self._platform, self._say = platform, say
        self.figures = Figures()

    def run(self) -> None:
        self._platform.wait_until_ready()
        training.write(self._platform.root / FOLDER, training.Sizes())
        self._train()
        asyncio.run(self._release())
        self._compare()
        self._advise()

    def _train(self) -> None:
        self._say(f"\nFineTune {training.TUNE}: an adapter is trained on 400 examples in a style.\n")
        begun = time.monotonic()
        self._apply("tuning", training.knowledge_base(FOLDER), training.fine_tune(FOLDER))
        self._platform.wait_until(lambda: self._is_ready("fineTunes", training.TUNE), what="result of the training")
        result = self._stored("fineTunes", training.TUNE)["status"]["result"]
        self.figures.trained_s = round(time.monotonic() - begun, 1)
        self.figures.held_out_loss = round(result["heldOutLoss"], 3)
        self._say(
            f"  trained in {self.figures.trained_s} s: version {result['digest'][:12]}, {result['steps']} steps on "
            f"{result['rows']} rows, held-out loss {self.figures.held_out_loss}"
        )

    async def _release(self) -> None:
        """The adapter takes the result as its source; callers ask it meanwhile."""
        self._say(f"\nAdapter {ADAPTER} gets source: finetune://{training.TUNE}, with a canary, while it answers.\n")
        new = self._stored("fineTunes", training.TUNE)["status"]["result"]["digest"]
        async with openai.AsyncOpenAI(
            base_url=self._platform.url, api_key=self._platform.keys["acme"], max_retries=0, timeout=60
        ) as client:
            stop = asyncio.Event()
            callers = [asyncio.create_task(self._call(client, stop)) for _ in range(_CALLERS)]
            try:
                self._change_source()
                await asyncio.to_thread(self._platform.wait_until, lambda: self._active() == new, what="promotion")
            finally:
                stop.set()
                await asyncio.gather(*callers)
        events = [entry["event"] for entry in self._stored("adapters", ADAPTER)["status"]["history"]]
        self.figures.promoted = events[:2] == ["Released", "CanaryStarted"]
        self._say(f"  {' ← '.join(events[:3])}; {self.figures.canary} requests meanwhile, {self.figures.failed} failed")

    def _change_source(self) -> None:
        file = self._platform.root / "acme.yaml"
        canary = json.dumps(training.CANARY)
        new = f"  source: finetune://{training.TUNE}\n  rollout: {{canary: {canary}}}\n"
        file.write_text(file.read_text().replace(_OLD, new))

    def _active(self) -> str:
        return str(self._stored("adapters", ADAPTER)["status"].get("active", {}).get("digest"))

    async def _call(self, client: openai.AsyncOpenAI, stop: asyncio.Event) -> None:
        """Both versions answer in the same style."""
        messages: Any = [{"role": "user", "content": "When does the office open?"}]
        while not stop.is_set():
            self.figures.canary += 1
            try:
                answer = await client.chat.completions.create(
                    model=ADAPTER, messages=messages, max_tokens=32, temperature=0
                )
                self.figures.failed += not answer.choices[0].message.content
            except openai.OpenAIError:
                self.figures.failed += 1

    def _compare(self) -> None:
        self._say(f"\nEvaluation {training.COMPARISON}: base and adapter, without and with documents.\n")
        self._apply("comparison", training.evaluation(FOLDER, ADAPTER))
        self._platform.wait_until(lambda: self._is_ready("evaluations", training.COMPARISON), what="comparison")
        result = self._stored("evaluations", training.COMPARISON)["status"]["result"]
        for each in result["variants"]:
            self._say(f"  {each['name']:10} {each['score']:6.1%}  ({each['low']:.1%} to {each['high']:.1%})")
        self._say(f"  {result['conclusion']}; the report is {result['report']}/report.html")
        self.figures.winner = result["winner"] or result["best"][0]

    def _advise(self) -> None:
        self._say("\nquiver advise, from what was measured:\n")
        report = self._stored("evaluations", training.COMPARISON)["status"]["result"]["report"]
        examples = self._platform.root / FOLDER / "examples.jsonl"
        command = [QUIVER, "advise", "--evaluation", f"{report}/details.json", "--data", str(examples), "--store",
                   f"vs_{training.FACTS}", "--made-up", "costly", "--url", self._platform.url.removesuffix("/v1"),
                   "--key", self._platform.keys["acme"]]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.figures.advice = next((line for line in done.stdout.splitlines() if line.startswith("Serve")), "")
        self._say("\n".join(f"  {line}" for line in (done.stdout or done.stderr).splitlines()))

    # Objects -------------------------------------------------------------------------------------------------

    def _apply(self, name: str, *items: dict[str, Any]) -> None:
        file = Path(self._platform.root, f"{name}.yaml")
        file.write_text(yaml.safe_dump_all(items, sort_keys=False))

    def _stored(self, kind: str, name: str) -> dict[str, Any]:
        found = (item for item in self._platform.objects(kind) if item["metadata"]["name"] == name)
        return next(found, {})

    def _is_ready(self, kind: str, name: str) -> bool:
        return is_ready(self._stored(kind, name))
