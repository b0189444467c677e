"""`python -m tuning.trainer.convert`: the best plain LoRA for a DoRA, for engines without DoRA.

A DoRA changes W to g ∘ (W + s B A). The difference has full rank, so a LoRA leaves a part of it out. The error of each
module is printed: the Frobenius norm of the part, as a share of the difference's. Above a limit nothing is written.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from tuning.trainer.errors import TrainingError
from tuning.trainer.weights import Weights

_PREFIX = "base_model.model."
_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"
_PARTS = ("A", "B", "magnitude_vector")
_MORE = 8  # directions beside the rank, for exactness of the largest ones

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Converted:
    """A LoRA of one module, and the squared norms of the difference and of what is left out."""

    module: str
    a: torch.Tensor
    b: torch.Tensor
    whole: float
    left_out: float

    @property
    def error(self) -> float:
        return float((self.left_out / self.whole) ** 0.5) if self.whole else 0.0


def convert(adapter: Path, base: Path, out: Path, rank: int, most_error: float) -> list[Converted]:
    """Raises TrainingError and OSError."""
    config = json.loads((adapter / _CONFIG).read_text(encoding="utf-8"))
    if not config.get("use_dora"):
        raise TrainingError(f"{adapter} is no DoRA: it is served as it is")
    if out.exists():
        raise TrainingError(f"{out} is there already: name another folder")
    torch.manual_seed(0)
    modules = list(_converted(config, load_file(adapter / _WEIGHTS), Weights(base), rank))
    error = overall(modules)
    if error > most_error:
        raise TrainingError(
            f"a LoRA of rank {rank} leaves out {error:.1%} of what the adapter changes, more than {most_error:.0%}: "
            "take a higher --rank or --most-error, train a LoRA, or serve the DoRA on an engine for CPUs"
        )
    _write(config, modules, out, rank)
    return modules


def overall(modules: list[Converted]) -> float:
    whole = sum(module.whole for module in modules)
    return float((sum(module.left_out for module in modules) / whole) ** 0.5) if whole else 0.0


def _converted(config: Mapping[str, object], tensors: Tensors, base: Weights, rank: int) -> Iterator[Converted]:
    scale = _scale(config)
    for module, (a, b, magnitude) in sorted(_modules(tensors).items()):
        update = scale * b.float() @ a.float()
        yield _of_module(module, base[f"{module.removeprefix(_PREFIX)}.weight"], update, magnitude.float(), rank)


def _modules(tensors: Tensors) -> Mapping[str, Sequence[torch.Tensor]]:
    """A, B and magnitudes by module."""
    modules: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        module, ending, _ = name.partition(".lora_")
        modules.setdefault(module, {})[name.removeprefix(module + ending).removesuffix(".weight")] = tensor
    for module, parts in modules.items():
        if parts.keys() != set(_PARTS):
            raise TrainingError(f"module {module} has {', '.join(sorted(parts))}; a DoRA has {', '.join(_PARTS)}")
    return {module: [parts[name] for name in _PARTS] for module, parts in modules.items()}


def _scale(config: Mapping[str, object]) -> float:
    if config.get("rank_pattern") or config.get("alpha_pattern"):
        raise TrainingError("an adapter with rank_pattern or alpha_pattern is not converted")
    rank, alpha = float(str(config["r"])), float(str(config["lora_alpha"]))
    return alpha / (rank**0.5 if config.get("use_rslora") else rank)


def _of_module(
    module: str, weight: torch.Tensor, update: torch.Tensor, magnitude: torch.Tensor, rank: int
) -> Converted:
    changed = weight + update
    difference = (magnitude / changed.norm(dim=1))[:, None] * changed - weight
    directions = min(rank + _MORE, *difference.shape)
    left, values, right = torch.svd_lowrank(difference, q=directions, niter=6)
    missing = max(0, rank - directions)  # of a layer narrower than the rank
    b = torch.nn.functional.pad(left[:, :rank] * values[:rank], (0, missing))
    a = torch.nn.functional.pad(right[:, :rank].T, (0, 0, 0, missing))
    left_out = difference - b @ a
    return Converted(
        module, a.contiguous(), b.contiguous(), float(difference.square().sum()), float(left_out.square().sum())
    )


def _write(config: Mapping[str, object], modules: list[Converted], out: Path, rank: int) -> None:
    """The scale is one: it is part of B."""
    staged = out.with_name(f"{out.name}~")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    tensors = {
        f"{each.module}.lora_{side}.weight": matrix
        for each in modules
        for side, matrix in (("A", each.a), ("B", each.b))
    }
    save_file(tensors, staged / _WEIGHTS, metadata={"format": "pt"})
    plain = {**config, "use_dora": False, "use_rslora": False, "r": rank, "lora_alpha": rank}
    (staged / _CONFIG).write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    staged.rename(out)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tuning.trainer.convert", description=__doc__)
    for name in ("adapter", "base", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--most-error", type=float, required=True)
    given = parser.parse_args()
    try:
        modules = convert(given.adapter, given.base, given.out, given.rank, given.most_error)
    except (TrainingError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for module in modules:
        sys.stdout.write(f"{module.module.removeprefix(_PREFIX)}: {module.error:.1%} left out\n")
    sys.stdout.write(f"{given.out}: a LoRA of rank {given.rank}, {overall(modules):.1%} left out\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
