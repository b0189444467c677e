"""Digests of a base model's folder, and of an adapter's."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def digest_of(base: Path) -> str:
    """The SHA-256 over weights, configuration, tokenizer and template, which decide its answers."""
    return _digest(
        sorted([base / name for name in _FILES if (base / name).is_file()] + list(base.glob("*.safetensors")))
    )


def adapter_digest(adapter: Path) -> str:
    """The SHA-256 over its configuration and its weights."""
    return _digest([adapter / "adapter_config.json", adapter / "adapter_model.safetensors"])


def _digest(files: Sequence[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        whole.update(f"{file.name}\0{digest}\n".encode())
    return whole.hexdigest()
