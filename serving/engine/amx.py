"""A plugin of vLLM, loaded by every process of an engine: it enables the CPU's matrix tiles (AMX) for attention.

A process must request the tiles from Linux; a process that uses them without a request is killed by SIGILL
(https://docs.kernel.org/arch/x86/xstate.html). vLLM's attention never requests them. oneDNN does at the first matrix
product large enough for the tiles. A short prompt has no such product, so an engine dies if its first request is short.

tests/engine/test_amx.py fails without this plugin on CPUs with tiles; remove the plugin once vLLM requests the tiles.
"""


def register() -> None:
    """Called by vLLM (https://docs.vllm.ai/en/latest/design/plugin_system.html)."""
    import torch
    from vllm.platforms import current_platform

    if current_platform.is_cpu() and torch.cpu._is_amx_tile_supported():
        torch.cpu._init_amx()
