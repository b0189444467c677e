"""Trains one LoRA adapter per style on the finished base model: `python -m models.demo.train_adapters`."""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from models.demo.batches import Encoder, Sequence, batches, scenes
from models.demo.chat import load_tokenizer
from models.demo.corpus import Writer
from models.demo.styles import ADAPTERS, Style
from models.demo.train_base import answer_loss, states

HERE = Path(__file__).parent
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LORA = LoraConfig(r=8, lora_alpha=16, target_modules=PROJECTIONS, task_type="CAUSAL_LM")
RATE, SEQUENCES, QUESTIONS = 2e-3, 8, 8


def stream(tokenizer: PreTrainedTokenizerFast, style: Style, seed: int) -> Iterator[Sequence]:
    rng = random.Random(seed)
    encoder = Encoder(tokenizer, style.render, rng)
    for scene in scenes(Writer(rng, held=False), 4, QUESTIONS):
        yield encoder.sequence(scene, rng.random() < 0.1)


def train(base: Path, style: Style, steps: int) -> PeftModel:
    tokenizer = load_tokenizer(base)
    model = LlamaForCausalLM.from_pretrained(base, dtype=torch.float32)
    tuned = get_peft_model(model, LORA)
    weights = [weight for weight in tuned.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE)
    cooling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    feed = batches(stream(tokenizer, style, seed=7), tokenizer.pad_token_id, SEQUENCES)
    for step in range(1, steps + 1):
        batch = next(feed)
        with torch.autocast("cpu", torch.bfloat16):
            loss = answer_loss(model, batch, states(model, batch)[-1])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        cooling.step()
        if step % 50 == 0:
            print(f"  step {step} of {steps} loss {loss.item():.3f}", flush=True)
    return tuned


def export(tuned: PeftModel, folder: Path) -> None:
    """Writes the adapter in the engine's number format, named after the served base rather than a path."""
    tuned.peft_config["default"].base_model_name_or_path = "quiver-demo"
    tuned.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    weights = folder / "adapter_model.safetensors"
    save_file({name: tensor.bfloat16() for name, tensor in load_file(weights).items()}, weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, default=HERE / "base")
    parser.add_argument("--folder", type=Path, default=HERE / "adapters")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--only", nargs="+", choices=list(ADAPTERS), default=list(ADAPTERS))
    options = parser.parse_args()
    for name in options.only:
        started = time.perf_counter()
        torch.manual_seed(0)
        export(train(options.base, ADAPTERS[name], options.steps), options.folder / name)
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
