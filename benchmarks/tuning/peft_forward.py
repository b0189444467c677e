"""PEFT's answers with adapters. Run by the engine's Python, which has torch; see `benchmarks.first_tokens`."""

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def _answers(base: Path, adapter: Path, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = PeftModel.from_pretrained(plain, adapter).eval()
    with torch.no_grad():
        logits = [model(torch.tensor([ids])).logits[0, -1] for ids in prompts]
    return [[round(value, 5) for value in torch.log_softmax(row, -1).tolist()] for row in logits]


def main() -> None:
    logging.disable(logging.WARNING)
    given = json.load(sys.stdin)
    base = Path(given["base"])
    answers = {name: _answers(base, Path(path), given["prompts"]) for name, path in given["adapters"].items()}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
