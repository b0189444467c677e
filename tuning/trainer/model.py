"""The base model with the adapter in training."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from tuning.recipe import Recipe, Targets
from tuning.trainer.errors import TrainingError
from tuning.trainer.weights import Weights

_NF4 = BitsAndBytesConfig(
    load_in_4bit=True,
    bnb_4bit_quant_type="nf4",
    bnb_4bit_use_double_quant=True,
    bnb_4bit_compute_dtype=torch.float32,
)

_PARTS: Mapping[Targets, tuple[str, ...]] = {"attention": ("attn", "attention"), "mlp": ("mlp", "feed_forward")}


def adapted(base: Path, recipe: Recipe, start: Path | None) -> PeftModel:
    """Adapters are trained in single precision: in bf16 small steps vanish. `start` is the adapter to go on from.

    Raises TrainingError.
    """
    torch.manual_seed(recipe.seed)
    more = {"quantization_config": _NF4} if recipe.is_quantised else {}
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, **more)
    _keep_layout(plain)
    if start is None:
        return get_peft_model(plain, _lora(recipe, _targets(plain, recipe.targets)))
    model = PeftModel.from_pretrained(plain, start, is_trainable=True, torch_device="cpu")
    _require_alike(recipe, model.peft_config["default"])
    return model


def _keep_layout(model: Any) -> None:
    """A quantised layer's first forward pass without gradients would pack its weights for AVX-512 in place, and PEFT,
    which dequantises them for a DoRA's norms, would read them in the old layout."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _lora(recipe: Recipe, targets: str | list[str]) -> LoraConfig:
    """Without dropout: a DoRA with it would compute each product twice."""
    return LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=0.0, target_modules=targets,
        use_rslora=recipe.method == "rslora", use_dora=recipe.is_dora, task_type="CAUSAL_LM",
    )  # fmt: skip


def _targets(model: Any, targets: Targets) -> str | list[str]:
    """For PEFT: the last parts of the names of linear layers in attention, or in the inner layers."""
    if targets == "all":
        return "all-linear"
    linear = (name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear))
    return sorted({name.rpartition(".")[2] for name in linear if any(part in name for part in _PARTS[targets])})


def _require_alike(recipe: Recipe, start: LoraConfig) -> None:
    wanted = (recipe.rank, recipe.alpha, recipe.is_dora, recipe.method == "rslora")
    if wanted != (start.r, start.lora_alpha, bool(start.use_dora), bool(start.use_rslora)):
        method = "dora" if start.use_dora else "rslora" if start.use_rslora else "lora"
        raise TrainingError(
            f"the adapter to go on from is a {method} of rank {start.r} and alpha {start.lora_alpha}: name the same"
        )


def linear_bytes(model: PeftModel) -> int:
    """Of the base's linear weights as they are held, with what belongs to quantised ones."""
    return sum(_held_bytes(module.base_layer.weight) for module in _adapted_layers(model))


def _adapted_layers(model: PeftModel) -> Iterator[Any]:
    return (module for module in model.modules() if hasattr(module, "lora_A") and hasattr(module, "base_layer"))


def _held_bytes(weight: Any) -> int:
    parts = [weight]
    if (state := getattr(weight, "quant_state", None)) is not None:
        parts += [state.absmax, state.code]
        parts += [state.offset, state.state2.absmax, state.state2.code] if state.nested else []
    return sum(part.nbytes for part in parts)


def fit_magnitudes(model: PeftModel, base: Path) -> None:
    """Of a DoRA from quantised weights: an engine has the plain ones, whose norms are others.

    m' = m ‖W + s B A‖ / ‖Q + s B A‖ keeps each output's scale as it was trained; W is the plain weight, Q its 4 bits.
    """
    weights = Weights(base)
    with torch.no_grad():
        for name, module in model.base_model.model.named_modules():
            if getattr(module, "lora_magnitude_vector", None):
                magnitude = module.lora_magnitude_vector["default"]
                update = module.get_delta_weight("default").float()
                quantised = magnitude.get_weight_norm(_plain(module.base_layer.weight), update, 1.0)
                magnitude.weight *= magnitude.get_weight_norm(weights[f"{name}.weight"], update, 1.0) / quantised


def _plain(weight: Any) -> torch.Tensor:
    from bitsandbytes.functional import dequantize_4bit

    return dequantize_4bit(weight.data, weight.quant_state).float()
