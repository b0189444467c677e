"""The engine's name for one version of an adapter. Never reused for other content, never shown to a caller."""

from dataclasses import dataclass
from typing import Self

# Hexadecimal digits, 128 bits: nobody can make two contents that share a name.
DIGEST_LENGTH = 32


@dataclass(frozen=True, order=True)
class EngineName:
    """`str()` writes it, `parse` reads it. Names of tenants and adapters have no dot."""

    tenant: str
    adapter: str
    digest: str

    @classmethod
    def of(cls, tenant: str, adapter: str, digest: str) -> Self:
        """For a whole digest."""
        return cls(tenant, adapter, digest[:DIGEST_LENGTH])

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """None for the name of anything else, such as the base model's."""
        match name.split("."):
            case [tenant, adapter, digest] if tenant and adapter and len(digest) == DIGEST_LENGTH:
                return cls(tenant, adapter, digest)
        return None

    def __str__(self) -> str:
        return f"{self.tenant}.{self.adapter}.{self.digest}"


def engine_name(tenant: str, adapter: str, digest: str) -> str:
    """The written name for a whole digest."""
    return str(EngineName.of(tenant, adapter, digest))
