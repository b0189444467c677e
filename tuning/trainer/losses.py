"""The loss of each row, by an adapter."""

from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from tuning.rendering import Rendered


def row_losses(base: Path, adapter: Path, rows: Sequence[Rendered]) -> list[float]:
    """Nats for each token of the answer, on average."""
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = PeftModel.from_pretrained(plain, adapter).eval()
    with torch.no_grad():
        return [_loss(model, row) for row in rows]


def _loss(model: PeftModel, row: Rendered) -> float:
    ids = torch.tensor([[*row.prompt, *row.answer]])
    logits = model(ids).logits[0, len(row.prompt) - 1 : -1]
    return float(torch.nn.functional.cross_entropy(logits, ids[0, len(row.prompt) :]))
