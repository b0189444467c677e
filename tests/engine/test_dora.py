"""A DoRA adapter answers as PEFT computes it, in any batch; what it cannot be served with is refused."""

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import aiohttp
import numpy as np
import pytest

from benchmarks.bare_engine import BASE, complete, load, unload
from benchmarks.first_tokens import Ids, distances, peft_answers
from benchmarks.tuning.style import examples, prompt_ids, write
from benchmarks.tuning.trained import DEMO, train
from models.demo.corpus import held_out
from serving.agent import base, weights
from serving.agent.verify import Rules, verify
from tests.engine.conftest import ADAPTERS as FOLDER
from tuning.rendering import Renderer

PLAIN = FOLDER / "acme-support-v1"
RECIPE = {"method": "dora", "rank": 4, "alpha": 8, "rate": 5e-3, "epochs": 1, "max_length": 512}


def _apart(one: Sequence[Mapping[str, float]], other: Sequence[Mapping[str, float]]) -> float:
    """Mean difference of the tokens of both, in nats."""
    return fmean(abs(a[token] - b[token]) for a, b in zip(one, other, strict=True) for token in a.keys() & b.keys())


@pytest.fixture(scope="module")
def dora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dora")
    data = write(folder / "data.jsonl", list(examples(80, 5)))
    return train(data, folder / "adapter", **RECIPE).folder


def _with_magnitudes(adapter: Path, copy: Path, change: Callable[[int], Any]) -> Path:
    """A copy whose magnitudes are multiplied by `change` of their number."""
    shutil.copytree(adapter, copy)
    file = copy / "adapter_model.safetensors"
    content = bytearray(file.read_bytes())
    for name, tensor in weights.read(file).items():
        if name.endswith("magnitude_vector"):
            part = slice(tensor.begin, tensor.end)
            content[part] = (np.frombuffer(content[part], "<f4") * change(tensor.rows)).astype("<f4").tobytes()
    file.write_bytes(content)
    return copy


@pytest.fixture(scope="module")
def moved(dora: Path) -> Path:
    rng = np.random.default_rng(3)
    return _with_magnitudes(dora, dora.parent / "moved", lambda outputs: rng.normal(1, 0.1, outputs))


@pytest.fixture(scope="module")
def large(dora: Path) -> Path:
    return _with_magnitudes(dora, dora.parent / "large", lambda _: 1000.0)


@pytest.fixture(scope="module")
def prompts() -> Sequence[Ids]:
    renderer = Renderer.of(DEMO)
    return [prompt_ids(renderer, example) for example in held_out(24, 7)]


async def _first(session: aiohttp.ClientSession, name: str, prompt: Ids) -> Mapping[str, float]:
    status, answer = await complete(session, name, prompt, max_tokens=1, logprobs=20)
    assert status == 200, answer
    top: Mapping[str, float] = answer["choices"][0]["logprobs"]["top_logprobs"][0]
    return top


async def test_it_answers_as_peft_does_and_beside_others_as_alone(
    session: aiohttp.ClientSession, dora: Path, moved: Path, prompts: Sequence[Ids]
) -> None:
    adapters = {"plain": PLAIN, "dora": dora, "moved": moved}
    names = [BASE, "plain", "dora"]  # as many as the engine has room for
    alone: dict[str, Any] = {BASE: [await _first(session, BASE, prompt) for prompt in prompts]}
    for name, path in adapters.items():
        assert (await load(session, name, path))[0] == 200
        alone[name] = [await _first(session, name, prompt) for prompt in prompts]
    together = [await asyncio.gather(*(_first(session, name, prompt) for name in names)) for prompt in prompts]
    for name, firsts in zip(names, zip(*together, strict=True), strict=True):
        apart, different = _apart(firsts, alone[name]), _apart(firsts, alone["moved"])
        assert apart < different / 3  # products of other sizes round in another way
    right = await asyncio.to_thread(peft_answers, DEMO, adapters, prompts)
    far = {name: await distances(session, name, prompts, right[name]) for name in right}
    for name in ("dora", "moved"):  # the distances are the engine's rounding to bfloat16
        assert fmean(far[name]) <= 2 * fmean(far["plain"])
    assert fmean(await distances(session, "moved", prompts, right["dora"])) > 2 * fmean(far["moved"])
    for name in adapters:
        await unload(session, name)


async def test_magnitudes_far_from_the_weights_norms_are_refused(session: aiohttp.ClientSession, large: Path) -> None:
    """They would make other requests' values infinite. The engine goes on."""
    status, text = await load(session, "large", large)
    assert status != 200
    assert "times the weights' norms" in text
    assert (await complete(session, "large", "a"))[0] == 404
    assert (await complete(session, BASE, "a"))[0] == 200


def test_the_agent_accepts_it(dora: Path) -> None:
    verify(dora, Rules(base.read(BASE, str(DEMO)), max_rank=16))
