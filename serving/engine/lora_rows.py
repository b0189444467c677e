"""A plugin of vLLM, loaded by every process of an engine: requests for the base model get no adapter's weights.

On CPUs vLLM marks rows of the base model with the slot -1, and then looks the weights up by it: the last slot.
Where that holds an adapter and another adapter is asked for in the same batch, the base model answers in its style
(https://github.com/vllm-project/vllm/pull/48421). On GPUs the kernels leave such rows out.

tests/engine/test_contract.py fails without it; it can go once a vLLM does not need it.
"""

from collections.abc import Callable
from typing import Any

OPERATIONS = ("bgmv_shrink", "bgmv_expand", "bgmv_expand_slice")


def register() -> None:
    """Called by vLLM (https://docs.vllm.ai/en/latest/design/plugin_system.html)."""
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    from vllm.lora.ops.torch_ops import lora_ops
    from vllm.lora.punica_wrapper import punica_cpu

    for name in OPERATIONS:
        operation = leaving_base_rows(getattr(lora_ops, name))
        for module in (lora_ops, punica_cpu):
            setattr(module, name, operation)


def leaving_base_rows(operation: Callable[..., None]) -> Callable[..., None]:
    """`operation(inputs, weights, output, slots, …)` writes output's rows; those of slot -1 are left as they are.

    inputs is [rows, in], weights [slots, 1, out, in], output [rows, out or more], slots [rows].
    """

    def run(inputs: Any, weights: Any, output: Any, slots: Any, *more: Any, **others: Any) -> None:
        base = (slots < 0).expand(len(output))  # one slot may stand for all rows
        before = output[base]  # a copy
        operation(inputs, weights, output, slots, *more, **others)
        output[base] = before

    return run
