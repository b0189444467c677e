"""Makes every case with PEFT and says what PEFT answers with it: run by the engine's Python, which has torch.

python -m benchmarks.differential.reference BASE INTO
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from benchmarks.differential.cases import Q_V, Case, cases

PROMPTS = 4
LENGTH = 24
SEED = 20_261_128
PREFIX = "base_model.model."
# Of what is trained, about as wide as the base's own weights, so that a wrong scale shows.
SPREAD = 0.08


def _base(path: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def _make(case: Case, base: Path, directory: Path) -> None:
    torch.manual_seed(SEED)
    arguments = {"r": 8, "lora_alpha": 16, "target_modules": list(Q_V), "task_type": "CAUSAL_LM", **case.lora}
    model = get_peft_model(_base(base), LoraConfig(**arguments))
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += torch.randn_like(parameter) * SPREAD
    model.save_pretrained(directory, save_embedding_layers=case.save_embeddings)
    _edit(case, directory)


def _edit(case: Case, directory: Path) -> None:
    file, weights = directory / "adapter_config.json", directory / "adapter_model.safetensors"
    config = {**json.loads(file.read_text()), "base_model_name_or_path": "quiver-demo", **case.config}
    removed = {name for name, value in case.config.items() if value is None}
    file.write_text(json.dumps({name: value for name, value in config.items() if name not in removed}, default=list))
    tensors = {name: tensor.to(getattr(torch, case.dtype)) for name, tensor in load_file(weights).items()}
    if case.extra:
        model = next(iter(tensors)).partition("layers.")[0]
        for side in "AB":
            first = next(tensor for name, tensor in tensors.items() if f"q_proj.lora_{side}." in name)
            tensors[f"{model}{case.extra}.lora_{side}.weight"] = first.clone()
    kept = {name: tensor for name, tensor in tensors.items() if not name.endswith(case.drop or ("\0",))}
    save_file({_renamed(name, case): tensor for name, tensor in kept.items()}, weights, metadata={"format": "pt"})


def _renamed(name: str, case: Case) -> str:
    rest = name.removeprefix(PREFIX)
    return case.prefix + (case.module + rest.removeprefix("model.") if rest.startswith("model.") else rest)


def _answers(base: Path, adapter: Path | None, prompts: torch.Tensor) -> list[list[float]]:
    """The logarithms of the next token's probabilities, by prompt and token."""
    model: Any = _base(base)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    with torch.no_grad():
        logits = model.eval()(prompts).logits[:, -1].float()
    return [[round(value, 5) for value in row] for row in torch.log_softmax(logits, -1).tolist()]


def main() -> None:
    base, into = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(into, ignore_errors=True)
    torch.manual_seed(SEED)
    prompts = torch.randint(10, 2000, (PROMPTS, LENGTH))
    found: dict[str, Any] = {"prompts": prompts.tolist(), "base": _answers(base, None, prompts), "adapters": {}}
    for case in cases():
        directory = into / case.name
        _make(case, base, directory)
        try:
            found["adapters"][case.name] = _answers(base, into / (case.like or case.name), prompts)
        except Exception as error:  # what PEFT cannot load has no reference
            found["adapters"][case.name] = f"{type(error).__name__}: {error}"
    (into / "reference.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
