"""A plugin of vLLM, loaded by every process of an engine: it permits the CPU's matrix tiles (AMX) for attention.

Linux grants the tiles on request, and ends a process using them without one by SIGILL
(https://docs.kernel.org/arch/x86/xstate.html). vLLM's attention never asks. oneDNN asks at the first matrix product
large enough for the tiles; a short prompt has none: an engine with a short first request dies.

tests/engine/test_amx.py fails without it, on CPUs with tiles; remove it once vLLM asks by itself.
"""


def register() -> None:
    """Called by vLLM (https://docs.vllm.ai/en/latest/design/plugin_system.html)."""
    import torch
    from vllm.platforms import current_platform

    if current_platform.is_cpu() and torch.cpu._is_amx_tile_supported():
        torch.cpu._init_amx()
