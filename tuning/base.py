"""The base model's folder."""

import hashlib
from pathlib import Path

_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def digest_of(base: Path) -> str:
    """The SHA-256 over weights, configuration, tokenizer and template, which decide its answers."""
    files = sorted([base / name for name in _FILES if (base / name).is_file()] + list(base.glob("*.safetensors")))
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        whole.update(f"{file.name}\0{digest}\n".encode())
    return whole.hexdigest()
