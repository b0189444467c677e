"""Signs records of deletions with Ed25519 (RFC 8032)."""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Signer:
    """The key is in a file, made at the first start."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if the file cannot be read or made, and ValueError if it holds no such key."""
        self._key = _read(path) if path.exists() else _made(path)

    @property
    def public_key(self) -> str:
        """The 32 bytes of the public key, in base64."""
        raw = self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def signature(self, statement: Mapping[str, object]) -> str:
        """Of the statement as `canonical` writes it, in base64."""
        return base64.b64encode(self._key.sign(canonical(statement))).decode()


def canonical(statement: Mapping[str, object]) -> bytes:
    """JSON in UTF-8 with sorted keys and without spaces."""
    return json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _read(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} holds another kind of key than Ed25519: remove it, and a new one is made.")
    return key


def _made(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return key
