"""APIKey: the digest of a key. The key itself is shown once at its creation and stored nowhere.

A key contains its namespace, and is valid there only. A digest need not be secret: no key can be derived
from it, and in another namespace it matches none.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from contract.definition import NAME_RULE, Column, Definition, Rule
from contract.names import API_VERSION
from contract.resource import Metadata, Resource, Status
from contract.value import Digest, Name, Value

Scope = Literal["inference", "documents", "admin"]

_KEY = re.compile(r"qv-(?P<namespace>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)-[0-9a-z]{1,128}")
_SHOWN_DIGITS = 4


class APIKeySpec(Value):
    """The key's identity; the key itself is stored nowhere."""

    sha256: Digest
    """The SHA-256 of the key, in hexadecimal digits. It cannot be changed."""
    prefix: Annotated[str, StringConstraints(max_length=80)] = ""
    """The beginning of the key, for lists."""
    expires_at: AwareDatetime | None = None
    """When the key expires, in RFC 3339; without it, never."""
    models: Annotated[tuple[Name, ...], Field(max_length=256)] | None = None
    """The models that callers may use with the key; by default all of the tenant's."""

    scopes: Annotated[frozenset[Scope], Field(min_length=1)] = frozenset({"inference"})
    """What callers may do with the key: `inference` (answers, embeddings, searches), `documents` (files and vector
    stores), `admin` (both, and keys and releases by the management API)."""

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class APIKeyStatus(Status):
    """The observed state of the key."""

    last_used: AwareDatetime | None = None
    """When a request to a gateway last had the key, within 10 minutes."""


class APIKey(Resource):
    definition: ClassVar[Definition] = Definition(
        "apikeys", "qk", (Column("Prefix", ".spec.prefix"), Column("Expires", ".spec.expiresAt", "date"),
            Column("Used", ".status.lastUsed", "date")),
        rules=(
            NAME_RULE,
            Rule("spec.sha256", "self == oldSelf",
                 "an APIKey keeps its key; make another APIKey for another key"),
        ),
    )  # fmt: skip
    kind: Literal["APIKey"] = "APIKey"
    spec: APIKeySpec
    status: APIKeyStatus = APIKeyStatus()


def key_digest(key: str) -> str:
    """SHA-256 suffices for a random 256-bit key; slow hashes are for human passwords."""
    return hashlib.sha256(key.encode()).hexdigest()


def key_from_entropy(namespace: str, entropy: bytes) -> str:
    """A new key from 32 random bytes."""
    return f"qv-{namespace}-{entropy.hex()}"


def new_key(
    namespace: str,
    name: str,
    entropy: bytes,
    *,
    expires_at: datetime | None = None,
    models: tuple[str, ...] = (),
    scopes: Iterable[Scope] = ("inference",),
) -> tuple[str, APIKey]:
    """A key from 32 random bytes, and the object with its digest."""
    key = key_from_entropy(namespace, entropy)
    spec = APIKeySpec(sha256=key_digest(key), prefix=shown(key), expires_at=expires_at, models=models or None,
                      scopes=frozenset(scopes))  # fmt: skip
    return key, APIKey(api_version=API_VERSION, metadata=Metadata(name=name, namespace=namespace), spec=spec)


def key_namespace(key: str) -> str | None:
    """The namespace in a key; None for an invalid key."""
    match = _KEY.fullmatch(key)
    return match["namespace"] if match else None


def shown(key: str) -> str:
    """The beginning of a key, for lists."""
    return key[: key.rindex("-") + 1 + _SHOWN_DIGITS]
