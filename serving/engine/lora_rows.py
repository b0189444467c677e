"""A plugin of vLLM, loaded by every process of an engine: an adapter's weights reach its own requests alone.

Two ways on CPUs for one adapter into its neighbours' answers:

- vLLM marks rows of the base model with the slot -1, and then uses it as an index: the last slot. If this slot holds an
  adapter and another adapter is requested in the same batch, the base model answers in the former's style
  (https://github.com/vllm-project/vllm/pull/48421). On GPUs the kernels leave such rows out.
- Finite weights may overflow. NaN in the keys and values of one request stays in its freed blocks: attention multiplies
  entries beyond a sequence's end by zero, and zero times NaN is NaN. The block's next owner answers NaN, the base model
  as well, until the engine ends. The agent refuses such weights (`serving.agent.magnitude`); this is the second line.

tests/engine/test_contract.py and tests/engine/test_overflow.py fail without it.
"""

from collections.abc import Callable
from typing import Any

OPERATIONS = ("bgmv_shrink", "bgmv_expand", "bgmv_expand_slice")
# The output of a linear layer with an adapter; base models stay far below.
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
    """`operation(inputs, weights, output, slots, …)` writes output's rows: those of slot -1 are left as they are, the
    others are made finite.

    inputs is [rows, in], weights [slots, 1, out, in], output [rows, out or more], slots [rows].
    """

    def run(inputs: Any, weights: Any, output: Any, slots: Any, *more: Any, **others: Any) -> None:
        base = (slots < 0).expand(len(output))  # one slot may stand for all rows
        before = output[base]  # a copy
        operation(inputs, weights, output, slots, *more, **others)
        limit = min(MAX_OUTPUT, _largest(output) / 2)
        output.nan_to_num_(nan=0.0, posinf=limit, neginf=-limit).clamp_(-limit, limit)
        output[base] = before

    return run


def _largest(tensor: Any) -> float:
    import torch

    return float(torch.finfo(tensor.dtype).max)
