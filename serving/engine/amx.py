"""A plugin of vLLM, loaded by every process of an engine: attention may use the CPU's matrix tiles (AMX).

Linux grants them to a process that asks, and ends with SIGILL one that uses them all the same
(https://docs.kernel.org/arch/x86/xstate.html). vLLM's attention never asks. oneDNN does, at the first matrix product
that is worth the tiles; those of a short prompt are not: an engine whose first request is short dies of it.

tests/engine/test_amx.py fails without it, on CPUs that have tiles; it can go once a vLLM does not need it.
"""


def register() -> None:
    """Called by vLLM (https://docs.vllm.ai/en/latest/design/plugin_system.html)."""
    import torch
    from vllm.platforms import current_platform

    if current_platform.is_cpu() and torch.cpu._is_amx_tile_supported():
        torch.cpu._init_amx()
