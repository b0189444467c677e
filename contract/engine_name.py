"""The engine's name for one version of an adapter. It is never reused for other content or shown to a caller."""

from dataclasses import dataclass
from typing import Self

# Hexadecimal digits: 128 bits, too many for anyone to make two contents with the same name.
DIGEST_LENGTH = 32


@dataclass(frozen=True, order=True)
class EngineName:
    """`str()` writes it, `parse` reads it. Names of tenants and adapters have no dot."""

    tenant: str
    adapter: str
    digest: str

    @classmethod
    def of(cls, tenant: str, adapter: str, digest: str) -> Self:
        """The name for a complete digest."""
        return cls(tenant, adapter, digest[:DIGEST_LENGTH])

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """The parsed name; None for any other name, such as the base model's."""
        match name.split("."):
            case [tenant, adapter, digest] if tenant and adapter and len(digest) == DIGEST_LENGTH:
                return cls(tenant, adapter, digest)
        return None

    def __str__(self) -> str:
        return f"{self.tenant}.{self.adapter}.{self.digest}"


def engine_name(tenant: str, adapter: str, digest: str) -> str:
    """The name for a complete digest, as text."""
    return str(EngineName.of(tenant, adapter, digest))
