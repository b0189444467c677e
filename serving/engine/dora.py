"""A plugin of vLLM, loaded by every process of an engine on CPUs: DoRA adapters are served as PEFT computes them.

A DoRA adapter has a magnitude m for each output beside its A and B (https://arxiv.org/abs/2402.09353, `DoraLinearLayer`
in `peft/tuners/lora/dora.py`). With s as the scale of the update, which vLLM multiplies into B:

    y = g ∘ (x Wᵀ + x Aᵀ (s B)ᵀ) + bias,    g = m / ‖W + s B A‖, by output

Without this plugin vLLM refuses such adapters. With it, an adapter's g is computed when the adapter comes into a slot,
and the rows of its requests are computed here. Rows of the base model and of plain adapters are not touched.

Each process computes g for its own part of a layer, so tensor parallel engines need no more than the sum of the squared
norms over the parts of an input. Layers without plain weights (quantised ones, experts, embeddings) are refused by
name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from serving.engine.dora_scales import any_process, parts_of, scales_of, squared_norms
from serving.engine.lora_rows import bound_of
from serving.engine.wrapping import wrap

_MAGNITUDES = (".lora_magnitude_vector", ".lora_magnitude_vector.weight")
# Limit of g: an output's magnitude as a multiple of its weights' norm. Trained ones are within a few percent of one.
MAX_SCALE = 100.0


def register() -> None:
    """Called by vLLM (https://docs.vllm.ai/en/latest/design/plugin_system.html)."""
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    from vllm.lora import lora_model
    from vllm.lora.layers.base_linear import BaseLinearLayerWithLoRA
    from vllm.lora.lora_weights import PackedLoRALayerWeights
    from vllm.lora.model_manager import LoRAModelManager
    from vllm.lora.peft_helper import PEFTHelper
    from vllm.model_executor.layers.linear import UnquantizedLinearMethod

    wrap(UnquantizedLinearMethod, "process_weights_after_loading", _keeping_norms)
    wrap(PEFTHelper, "_validate_features", _accepting)
    wrap(lora_model, "parse_fine_tuned_lora_name", _naming)
    wrap(lora_model.LoRAModel, "from_lora_tensors", _reading)
    wrap(PackedLoRALayerWeights, "pack", _packing)
    wrap(LoRAModelManager, "_add_adapter", _adding)
    wrap(LoRAModelManager, "activate_adapter", _activating)
    wrap(LoRAModelManager, "_set_adapter_mapping", _mapping)
    wrap(BaseLinearLayerWithLoRA, "_apply_lora_to_output", _applying)


def _keeping_norms(process: Callable[..., None]) -> Callable[..., None]:
    """Keeps the squared norm of each output's weights: on CPUs the weights are packed, then dropped."""

    def run(method: Any, layer: Any) -> None:
        if layer.weight.ndim == 2:
            layer.squared_norms = squared_norms(layer.weight.data)
        process(method, layer)

    return run


def _accepting(refusals: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    def run(helper: Any) -> list[str]:
        return refusals(replace(helper, use_dora=False))

    return run


def _naming(parse: Callable[..., tuple[str, bool]]) -> Callable[..., tuple[str, bool]]:
    """vLLM parses the names of A and B only, so a name of magnitudes is parsed as that of B."""

    def run(name: str, *mapper: Any) -> tuple[str, bool]:
        module = _magnitude_of(name)
        return parse(f"{module}.lora_B.weight" if module else name, *mapper)

    return run


def _magnitude_of(tensor: str) -> str | None:
    """The module of a tensor of magnitudes."""
    return next((tensor.removesuffix(ending) for ending in _MAGNITUDES if tensor.endswith(ending)), None)


def _reading(read: Callable[..., Any]) -> Callable[..., Any]:
    """Sets `magnitude`, float32[outputs], on the weights of every module of a DoRA adapter."""

    def run(
        cls: Any, lora_model_id: int, tensors: Mapping[str, Any], peft_helper: Any, *more: Any, **others: Any
    ) -> Any:
        names = {name: module for name in tensors if (module := _magnitude_of(name))}
        if len(set(names.values())) < len(names):
            raise ValueError("a module has two tensors of magnitudes")
        magnitudes = {module: tensors[name] for name, module in names.items()}
        plain = {name: tensor for name, tensor in tensors.items() if not _magnitude_of(name)}
        if bool(magnitudes) != peft_helper.use_dora:
            raise ValueError("DoRA adapters say use_dora, and have a lora_magnitude_vector for each module")
        model = read(cls, lora_model_id, plain, peft_helper, *more, **others)
        for module, magnitude in magnitudes.items():
            weights = _weights_of(model, module, others.get("weights_mapper"))
            if magnitude.shape != weights.lora_b.shape[:1]:
                raise ValueError(f"module {module} has {len(magnitude)} magnitudes, and B other outputs")
            weights.magnitude = magnitude.float()
        if magnitudes:
            _require_all(model)
        return model

    return run


def _weights_of(model: Any, module: str, mapper: Any) -> Any:
    from vllm.lora.lora_model import parse_fine_tuned_lora_name

    name, _ = parse_fine_tuned_lora_name(f"{module}.lora_B.weight", mapper)
    if name not in model.loras:
        raise ValueError(f"module {name} has magnitudes, and neither A nor B")
    return model.loras[name]


def _require_all(model: Any) -> None:
    missing = next((name for name, weights in model.loras.items() if not hasattr(weights, "magnitude")), None)
    if missing:
        raise ValueError(f"module {missing} has no magnitudes; every module of a DoRA adapter has some")


def _packing(pack: Callable[..., Any]) -> Callable[..., Any]:
    def run(cls: Any, loras: Sequence[Any]) -> Any:
        packed = pack(cls, loras)
        magnitudes = [getattr(lora, "magnitude", None) for lora in loras]
        if any(magnitude is not None for magnitude in magnitudes):
            packed.magnitude = magnitudes
        return packed

    return run


def _adding(add: Callable[..., None]) -> Callable[..., None]:
    """Refuses a DoRA adapter of layers that have no plain weights, before it is registered."""

    def run(manager: Any, lora: Any) -> None:
        if _is_dora(lora):
            for name in lora.loras:
                _require_plain(manager, name)
        add(manager, lora)

    return run


def _is_dora(adapter: Any) -> bool:
    return any(hasattr(weights, "magnitude") for weights in adapter.loras.values())


def _require_plain(manager: Any, name: str) -> None:
    from vllm.lora.layers.base_linear import BaseLinearLayerWithLoRA

    layer = manager.modules.get(name) or next(
        (manager.modules.get(packed) for packed, parts in manager.packed_modules.items() if name in parts), None
    )
    if layer is None:
        raise ValueError(f"DoRA of module {name}: this engine has no such layer")
    if not isinstance(layer, BaseLinearLayerWithLoRA) or not hasattr(layer.base_layer, "squared_norms"):
        raise ValueError(f"DoRA of module {name}: only linear layers that are not quantised are served")
    if manager.lora_config.fully_sharded_loras:
        raise ValueError("DoRA is not served with fully sharded LoRA")


def _activating(activate: Callable[..., bool]) -> Callable[..., bool]:
    """Replaces the scales of a slot by those of its new adapter."""

    def run(manager: Any, lora_id: int) -> bool:
        activated = activate(manager, lora_id)
        if activated:
            slot = manager.lora_index_to_id.index(lora_id)
            manager.dora_slots = getattr(manager, "dora_slots", set()) - {slot}
            manager._last_mapping = None  # its rows are found anew
            adapter = manager._registered_adapters[lora_id]
            if _is_dora(adapter):
                _set_scales(manager, adapter, slot)
                manager.dora_slots |= {slot}
        return activated

    return run


def _set_scales(manager: Any, adapter: Any, slot: int) -> None:
    """Scales are computed at the first activation and kept with the adapter. All processes of an engine compute the
    same layers and refuse together: one that stopped earlier would leave the others waiting. Raises ValueError."""
    import torch

    layers = {name: layer for name, layer in manager.modules.items() if hasattr(layer, "base_layer")}
    loras = {name: manager._get_lora_layer_weights(adapter, name) for name in layers}
    for name, weights in loras.items():
        if weights is not None and not hasattr(weights, "scales"):
            weights.scales = scales_of(layers[name], slot, weights.magnitude)
    too_large = [
        name for name, weights in loras.items() if weights and not bool((weights.scales.abs() <= MAX_SCALE).all())
    ]
    if any_process(bool(too_large)):
        manager.remove_adapter(adapter.id)
        raise ValueError(f"DoRA of {too_large}: magnitudes are at most {MAX_SCALE:g} times the weights' norms")
    for name, layer in layers.items():
        weights = loras[name]
        if weights is not None and not hasattr(layer, "dora_scales"):
            layer.dora_scales = torch.ones(manager.lora_slots, len(weights.scales))
        if hasattr(layer, "dora_scales"):
            layer.dora_scales[slot] = weights.scales if weights is not None else 1.0


def _mapping(set_mapping: Callable[..., None]) -> Callable[..., None]:
    """Finds the rows of DoRA adapters once for all layers of a step: `dora_rows` has them by slot."""

    def run(manager: Any, mapping: Any) -> None:
        set_mapping(manager, mapping)
        slots: set[int] = getattr(manager, "dora_slots", set())
        for wrapper in manager.punica_wrapper_mapping.values():
            wrapper.dora_rows = _rows(wrapper.token_lora_indices.tolist(), slots) if slots else {}

    return run


def _rows(slots: Sequence[int], of_dora: set[int]) -> Mapping[int, list[int]]:
    """By slot; `slots` has one for each row, -1 for the base model."""
    rows: dict[int, list[int]] = {}
    for row, slot in enumerate(slots):
        if slot in of_dora:
            rows.setdefault(slot, []).append(row)
    return rows


def _applying(apply: Callable[..., Any]) -> Callable[..., Any]:
    """Of `output`[…, outputs], the base layer's, the rows of DoRA adapters are computed here, and set in place: in
    float32, so that they are rounded no more often than a plain adapter's. All others are vLLM's own."""

    def run(layer: Any, x: Any, output: Any) -> Any:
        rows = getattr(layer.punica_wrapper, "dora_rows", None)
        if not rows or not hasattr(layer, "dora_scales"):
            return apply(layer, x, output)
        inputs, flat = x.reshape(-1, x.shape[-1]), output.view(-1, output.shape[-1])
        of_dora = {slot: _of_rows(layer, slot, inputs[which], flat[which]) for slot, which in rows.items()}
        if sum(map(len, rows.values())) < len(flat):
            output = apply(layer, x, output)
            flat = output.view(-1, output.shape[-1])
        for slot, which in rows.items():
            flat[which] = of_dora[slot]
        return output

    return run


def _of_rows(layer: Any, slot: int, inputs: Any, output: Any) -> Any:
    """g ∘ (output - bias + inputs Aᵀ Bᵀ) + bias, bounded as other adapters' outputs."""
    import torch

    wide, bias = inputs.float(), _bias_of(layer)
    updates = [wide @ a.float().T @ b.float().T for _, a, b in parts_of(layer, slot)]
    scaled = output.float() if bias is None else output.float() - bias
    scaled = (scaled + torch.cat(updates, dim=1)) * layer.dora_scales[slot]
    scaled = scaled if bias is None else scaled + bias
    limit = bound_of(output)
    return scaled.nan_to_num_(nan=0.0, posinf=limit, neginf=-limit).clamp_(-limit, limit).to(output.dtype)


def _bias_of(layer: Any) -> Any:
    """The bias in the base layer's output here. Of a row parallel layer, only the first process adds it."""
    from vllm.model_executor.layers.linear import RowParallelLinear

    base = layer.base_layer
    is_later = isinstance(base, RowParallelLinear) and layer.tp_rank > 0
    return None if base.skip_bias_add or is_later else base.bias
