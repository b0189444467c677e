"""The base model's folder."""

import hashlib
from pathlib import Path

_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
_CHUNK = 1 << 20


def digest_of(base: Path) -> str:
    """The SHA-256 over what decides its answers: weights, configuration, tokenizer, template."""
    files = sorted([base / name for name in _FILES if (base / name).is_file()] + list(base.glob("*.safetensors")))
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.name}\0{_digest(file)}\n".encode())
    return whole.hexdigest()


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while part := content.read(_CHUNK):
            digest.update(part)
    return digest.hexdigest()
