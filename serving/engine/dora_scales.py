"""The scales of a DoRA adapter's outputs in one layer of an engine: see `serving.engine.dora`."""

from collections.abc import Sequence
from typing import Any


def squared_norms(weight: Any, block: int = 1024) -> Any:
    """float32[outputs], of `weight`[outputs, inputs]; by blocks, so that no whole copy in float32 is made."""
    import torch

    return torch.cat([part.float().square().sum(dim=1) for part in weight.split(block)])


def scales_of(layer: Any, slot: int, magnitude: Any) -> Any:
    """g, float32[outputs] of this process: those of outputs without magnitudes are one.

    The norms come from the served A and B, which are in the slot: ‖w + bA‖² = ‖w‖² + 2 b·(A w) + b (A Aᵀ) bᵀ for each
    output's weights w and its row b of B.
    """
    import torch

    base = layer.base_layer
    squares = base.squared_norms.clone()
    for part, a, b in parts_of(layer, slot):
        of_base = layer._get_quant_method().apply(base, a, None)[:, part].float().T  # [outputs, rank]: W Aᵀ
        wide_a, wide_b = a.float(), b.float()
        squares[part] += (wide_b * (2 * of_base + wide_b @ (wide_a @ wide_a.T))).sum(dim=1)
    magnitudes = torch.cat(_magnitudes(layer, magnitude, squares))
    scales = magnitudes / _whole(layer, squares).clamp_min(0).sqrt()
    return torch.where(magnitudes.isnan(), torch.ones_like(scales), scales)


def parts_of(layer: Any, slot: int) -> list[tuple[slice, Any, Any]]:
    """For each projection of a merged layer: its outputs, A[rank, inputs] and B[outputs, rank]."""
    parts, start = [], 0
    for a, b, size in zip(layer.lora_a_stacked, layer.lora_b_stacked, layer.output_slices, strict=True):
        parts.append((slice(start, start + size), a[slot, 0], b[slot, 0]))
        start += size
    return parts


def _magnitudes(layer: Any, magnitude: Any, like: Any) -> list[Any]:
    """float32[outputs] for each projection, cut as B is; NaN for a projection without."""
    columns = [m[:, None] if m is not None else None for m in magnitude] if isinstance(magnitude, list) else None
    if columns is None:
        whole = magnitude[:, None]
        cut: Sequence[Any] = [layer.slice_lora_b(whole) if layer.tp_size > 1 else whole]
    else:
        if len(columns) != layer.n_slices:
            _, columns = layer.expand_packed_lora(columns, columns)
        cut = layer.slice_lora_b(columns) if layer.tp_size > 1 else columns
    absent = float("nan")
    return [
        like.new_full((size,), absent) if m is None else m[:, 0]
        for m, size in zip(cut, layer.output_slices, strict=True)
    ]


def _whole(layer: Any, squares: Any) -> Any:
    """The squared norms over all inputs: a row parallel layer has a part of them."""
    from vllm.distributed import tensor_model_parallel_all_reduce
    from vllm.model_executor.layers.linear import RowParallelLinear

    if layer.tp_size > 1 and isinstance(layer.base_layer, RowParallelLinear):
        return tensor_model_parallel_all_reduce(squares)
    return squares


def any_process(is_so: bool) -> bool:
    """Whether it is so in any process of a tensor parallel engine."""
    import torch
    from vllm.distributed import get_tensor_model_parallel_world_size, tensor_model_parallel_all_reduce

    if get_tensor_model_parallel_world_size() == 1:
        return is_so
    return bool(tensor_model_parallel_all_reduce(torch.tensor([float(is_so)])).item())
