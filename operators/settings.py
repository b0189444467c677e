"""What the command line is told by the environment. The only place of this package that reads it."""

import os
import sys
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

# Where `make setup` puts things: beside the environment that this runs in.
_HOME = Path(sys.prefix).parent

# All that a child process gets of our own environment.
_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "HF_HOME", "HF_TOKEN",
              "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "VLLM_CACHE_ROOT")  # fmt: skip


class Settings(BaseSettings):
    """`engine_python` has vLLM; `embedder` holds model.onnx and tokenizer.json."""

    model_config = SettingsConfigDict(env_prefix="QUIVER_", frozen=True)

    engine_python: Path = _HOME / ".venv-engine" / "bin" / "python"
    embedder: Path = _HOME / "build" / "models" / "minilm"


def inherited_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
