"""What all kinds share: metadata, and a status that carries conditions."""

from typing import NamedTuple

from contract.conditions import Conditions
from contract.value import Name, Value


class Metadata(Value):
    name: Name
    namespace: Name | None = None
    generation: int = 1


class Status(Value):
    """What is known of the object."""

    conditions: Conditions = ()
    """Whether it is accepted, whether it is ready, and why not."""


class Key(NamedTuple):
    """Where an object is found. Cluster-scoped kinds have no namespace."""

    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


class Resource(Value):
    """An object of one of our kinds."""

    api_version: str
    metadata: Metadata

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace or ""

    @property
    def key(self) -> Key:
        return Key(kind=type(self).__name__, namespace=self.metadata.namespace, name=self.name)
