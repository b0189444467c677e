"""Digests of a base model's folder, and of an adapter's."""

import hashlib
from collections.abc import Sequence
from errno import ENOENT
from pathlib import Path

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_PATTERNS = ["*.json", "*.jinja", "*.safetensors", "tokenizer*"]
_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def located(base: str) -> Path:
    """The folder of a base model: one of this machine, or downloaded from the Hugging Face hub (hf://ORG/NAME@REVISION).
    Raises OSError."""
    if base.startswith("/") or Path(base).is_dir():
        if not Path(base).is_dir():
            raise FileNotFoundError(ENOENT, "it is not there: put the base model in its place", base)
        return Path(base)
    from huggingface_hub import snapshot_download  # of the trainer's environment

    name, _, revision = base.removeprefix("hf://").partition("@")
    return Path(snapshot_download(name, revision=revision or None, allow_patterns=_PATTERNS))


def digest_of(base: Path) -> str:
    """The SHA-256 over weights, configuration, tokenizer and template, which decide its answers."""
    return _digest(
        sorted([base / name for name in _FILES if (base / name).is_file()] + list(base.glob("*.safetensors")))
    )


def adapter_digest(adapter: Path) -> str:
    """The SHA-256 over its configuration and its weights, by which engines' agents name a version: over the name, the
    size and the SHA-256 of each."""
    whole = hashlib.sha256()
    for name in ADAPTER_FILES:
        whole.update(f"{name}\0{(adapter / name).stat().st_size}\0{_content(adapter / name)}\n".encode())
    return whole.hexdigest()


def _digest(files: Sequence[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.name}\0{_content(file)}\n".encode())
    return whole.hexdigest()


def _content(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
