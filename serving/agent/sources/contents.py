"""Checks whether the file names at a source make an adapter (pure)."""

from collections.abc import Collection

from serving.agent.errors import RefusedError
from serving.agent.verify import FILES
from serving.agent.weights import WEIGHTS

_PICKLE = "adapter_model.bin"


def absence(source: str, names: Collection[str]) -> RefusedError | None:
    """Why files with these names make no adapter, None if they do. `source` is its form for messages."""
    if WEIGHTS not in names and _PICKLE in names:
        return RefusedError("Pickle", f"{source}: the weights are a pickle ({_PICKLE}); save them as safetensors")
    absent = [file for file in FILES if file not in names]
    if absent:
        return RefusedError("FileMissing", f"{source} holds no {' and no '.join(absent)}; a PEFT adapter has both")
    return None
