"""The weights of a folder's safetensors files, read one at a time."""

from pathlib import Path

import torch
from safetensors import safe_open

from tuning.trainer.errors import TrainingError


class Weights:
    """By name, in single precision. `weights[name]` raises TrainingError for an unknown name."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Path] = {}
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, framework="pt") as opened:
                self._files |= dict.fromkeys(opened.keys(), file)

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._files:
            raise TrainingError(f"the base model has no plain weights {name}")
        with safe_open(self._files[name], framework="pt") as opened:
            return opened.get_tensor(name).float()
