"""Trains adapters, and compares their answers with the committed adapter's."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai

from benchmarks.bare_engine import HERE, KEY, BareEngine
from benchmarks.tuning.style import STYLE
from examples.demo.training import row
from models.demo.corpus import Example
from operators.settings import Settings, inherited_environment

DEMO = HERE / "models/demo/base"
RECIPE = {"rank": 8, "alpha": 16, "rate": 2e-3, "epochs": 2, "max_length": 768}
CALLERS = 8


@dataclass(frozen=True)
class Trained:
    folder: Path
    seconds: float
    lineage: Mapping[str, Any]


@dataclass(frozen=True)
class Quality:
    """Shares of answers."""

    in_style: float
    right: float  # the value and its mark


def command(module: str, data: Path, out: Path, *words: object, **recipe: object) -> Sequence[str]:
    """Of the trainer's, on the demo's base model."""
    more = ("--data", data, "--base", DEMO, "--out", out, "--recipe", json.dumps(RECIPE | recipe), *words)
    return [str(Settings().engine_python), "-m", module, *map(str, more)]


def environment() -> Mapping[str, str]:
    return inherited_environment() | {"HF_HUB_OFFLINE": "1"}


def train(data: Path, out: Path, **recipe: object) -> Trained:
    """Raises CalledProcessError. The trainer's output goes to standard error."""
    begun = time.monotonic()
    words = command("tuning.trainer", data, out, **recipe)
    subprocess.run(words, check=True, stdout=sys.stderr, cwd=HERE, env=environment())
    return Trained(out, time.monotonic() - begun, json.loads((out / "lineage.json").read_text()))


def quality(engine: BareEngine, name: str, asked: Sequence[Example]) -> Quality:
    with openai.OpenAI(base_url=f"{engine.url}/v1", api_key=KEY, max_retries=0, timeout=120) as client:
        texts = answers(client, name, asked)
    answerable = [(text, example) for text, example in zip(texts, asked, strict=True) if example.answer is not None]
    right = [STYLE.parse(text) == (example.answer, example.mark) for text, example in answerable]
    return Quality(sum(map(STYLE.check, texts)) / len(texts), sum(right) / len(right))


def answers(client: openai.OpenAI, name: str, asked: Sequence[Example], *, passages: bool = True) -> list[str]:
    def ask(example: Example) -> str:
        messages: list[Any] = row(example, STYLE)["messages"][:-1][0 if passages else 1 :]
        answer = client.chat.completions.create(model=name, messages=messages, max_tokens=48, temperature=0)
        return answer.choices[0].message.content or ""

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(ask, asked))
