"""Checks whether a source has the files that are to be fetched (pure)."""

from collections.abc import Collection

from serving.agent.errors import RefusedError
from serving.agent.weights import WEIGHTS

_PICKLE = "adapter_model.bin"


def absence(source: str, names: Collection[str], files: Collection[str]) -> RefusedError | None:
    """Why a source with these names lacks one of `files`, None if it has all. `source` is its form for messages."""
    if WEIGHTS in files and WEIGHTS not in names and _PICKLE in names:
        return RefusedError("Pickle", f"{source}: the weights are a pickle ({_PICKLE}); save them as safetensors")
    absent = [file for file in files if file not in names]
    remedy = "a PEFT adapter has both" if WEIGHTS in files else "correct its name, or put it there"
    if absent:
        return RefusedError("FileMissing", f"{source} holds no {' and no '.join(absent)}; {remedy}")
    return None
