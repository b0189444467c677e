"""A plugin of vLLM, loaded by every process of an engine: an adapter's weights affect only its own requests.

On CPUs, an adapter can affect other requests' answers in two ways:

- vLLM marks the base model's rows with slot -1, but then uses -1 as an index, which selects the last slot. If that slot
  holds an adapter and the batch also requests another adapter, the base model answers in the style of the last slot's
  adapter (https://github.com/vllm-project/vllm/pull/48421). On GPUs the kernels skip such rows.
- Finite weights may overflow. NaN in the keys and values of one request stays in its freed blocks: attention multiplies
  entries beyond a sequence's end by zero, and zero times NaN is NaN. The block's next owner, even the base model,
  answers NaN until the engine ends. The agent refuses such weights (`serving.agent.magnitude`); this is a second check.

tests/engine/test_contract.py and tests/engine/test_overflow.py fail without this plugin.
"""

from collections.abc import Callable
from typing import Any

OPERATIONS = ("bgmv_shrink", "bgmv_expand", "bgmv_expand_slice")
# Bound of the values that a linear layer with an adapter outputs; base models' values are far smaller.
MAX_OUTPUT = 1e6


def register() -> None:
    """Called by vLLM (https://docs.vllm.ai/en/latest/design/plugin_system.html)."""
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    from vllm.lora.ops.torch_ops import lora_ops
    from vllm.lora.punica_wrapper import punica_cpu

    for name in OPERATIONS:
        operation = bounded(getattr(lora_ops, name))
        for module in (lora_ops, punica_cpu):
            setattr(module, name, operation)


def bounded(operation: Callable[..., None]) -> Callable[..., None]:
    """Wraps `operation(inputs, weights, output, slots, …)`, which writes output's rows: rows of slot -1 are left
    unchanged, the others are made finite.

    inputs is [rows, in], weights [slots, 1, out, in], output [rows, out or more], slots [rows] or [1].
    """

    def run(inputs: Any, weights: Any, output: Any, slots: Any, *more: Any, **others: Any) -> None:
        base = (slots < 0).expand(len(output))  # a single slot is for all rows
        before = output[base]  # a copy
        operation(inputs, weights, output, slots, *more, **others)
        limit = bound_of(output)
        output.nan_to_num_(nan=0.0, posinf=limit, neginf=-limit).clamp_(-limit, limit)
        output[base] = before

    return run


def bound_of(output: Any) -> float:
    """Of the values of a layer's output, by its type."""
    import torch

    return min(MAX_OUTPUT, float(torch.finfo(output.dtype).max) / 2)
