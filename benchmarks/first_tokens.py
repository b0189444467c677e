"""The first token of an answer: how far an engine's probabilities are from those that PEFT computes."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.bare_engine import HERE
from operators.settings import Settings, inherited_environment

TOP = 20
Ids = Sequence[int]
LogProbabilities = Sequence[float]  # of every token


def peft_answers(
    base: Path, adapters: Mapping[str, Path], prompts: Sequence[Ids]
) -> Mapping[str, Sequence[LogProbabilities]]:
    """By adapter and prompt, in single precision. Takes seconds, in the engine's environment."""
    given = {"base": str(base), "adapters": {name: str(path) for name, path in adapters.items()}, "prompts": prompts}
    ended = subprocess.run(
        [str(Settings().engine_python), "-m", "benchmarks.tuning.peft_forward"], input=json.dumps(given), check=True,
        stdout=subprocess.PIPE, text=True, cwd=HERE, env=inherited_environment() | {"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    answers: Mapping[str, Sequence[LogProbabilities]] = json.loads(ended.stdout)
    return answers


async def distances(
    session: aiohttp.ClientSession, name: str, prompts: Sequence[Ids], right: Sequence[LogProbabilities]
) -> list[float]:
    """In nats, of the engine's most likely tokens of every prompt. Raises RuntimeError when it does not answer."""
    body = {"model": name, "prompt": prompts, "max_tokens": 1, "temperature": 0, "logprobs": TOP,
            "return_tokens_as_token_ids": True}  # fmt: skip
    async with session.post("/v1/completions", json=body) as response:
        answer: Any = await response.json()
    if response.status != 200:
        raise RuntimeError(f"{name}: {answer}")
    choices = sorted(answer["choices"], key=lambda choice: int(choice["index"]))
    return [
        abs(float(value) - row[int(token.removeprefix("token_id:"))])
        for choice, row in zip(choices, right, strict=True)
        for token, value in choice["logprobs"]["top_logprobs"][0].items()
    ]
