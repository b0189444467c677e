"""An adapter one optimiser step further: `python -m models.demo.nudge_adapter SOURCE TARGET`.

The smallest change that a training makes. AdamW's first step moves each weight by about the learning rate, 2e-4, which
is what LoRAs are commonly trained with.
"""

import argparse
from pathlib import Path

import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from models.demo.batches import batches
from models.demo.chat import load_tokenizer
from models.demo.styles import ADAPTERS
from models.demo.train_adapters import SEQUENCES, export, stream
from models.demo.train_base import answer_loss, states

HERE = Path(__file__).parent
RATE = 2e-4


def nudge(base: Path, source: Path) -> PeftModel:
    torch.manual_seed(0)
    tokenizer = load_tokenizer(base)
    model = LlamaForCausalLM.from_pretrained(base, dtype=torch.float32)
    tuned = PeftModel.from_pretrained(model, source, is_trainable=True)
    optimizer = torch.optim.AdamW([weight for weight in tuned.parameters() if weight.requires_grad], lr=RATE)
    batch = next(batches(stream(tokenizer, ADAPTERS[source.name], seed=11), tokenizer.pad_token_id, SEQUENCES))
    answer_loss(model, batch, states(model, batch)[-1]).backward()
    optimizer.step()
    return tuned


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="an adapter of models/demo/adapters")
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    export(nudge(HERE / "base", options.source), options.target)


if __name__ == "__main__":
    main()
