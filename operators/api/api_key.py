"""APIKey: the digest of a key. The key itself is shown once by whoever made it and stored nowhere."""

import hashlib
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from operators.api.resource import Resource, Status
from operators.api.value import Digest, Name, Value

KEY_PREFIX = "qv-"
SHOWN_LENGTH = 7


class APIKeySpec(Value):
    """What a key is known by; the key itself is stored nowhere."""

    sha256: Digest
    """The SHA-256 of the key, in hexadecimal digits. It cannot be changed."""
    prefix: Annotated[str, StringConstraints(max_length=16)] = ""
    """How the key begins, for people who look at a list."""
    expires_at: AwareDatetime | None = None
    """When it stops working, in RFC 3339; without it, never."""
    models: Annotated[tuple[Name, ...], Field(max_length=256)] | None = None
    """The models that it may be used for; without it, all of the tenant's."""

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class APIKey(Resource):
    kind: Literal["APIKey"] = "APIKey"
    spec: APIKeySpec
    status: Status = Status()


def key_digest(key: str) -> str:
    """SHA-256 is enough for a random 256-bit key; slow hashes are for passwords that people choose."""
    return hashlib.sha256(key.encode()).hexdigest()


def key_from_entropy(entropy: bytes) -> str:
    """A new key from 32 random bytes."""
    return KEY_PREFIX + entropy.hex()
