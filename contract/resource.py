"""Shared by all kinds: metadata, and a status with conditions."""

from functools import cached_property
from typing import ClassVar, NamedTuple

from pydantic import ConfigDict

from contract.conditions import Conditions
from contract.definition import Definition
from contract.value import Name, Value


class Metadata(Value):
    name: Name
    namespace: Name | None = None
    generation: int = 1


class Status(Value):
    """The observed state of the object. A reader ignores what a newer operator adds to it, but not
    inside of its fields."""

    model_config = ConfigDict(extra="ignore")

    conditions: Conditions = ()
    """True if it is accepted, whether it is ready, and the reasons if not."""


class Key(NamedTuple):
    """The identity of an object. Cluster-scoped kinds have no namespace."""

    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        path = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {path}"


class Resource(Value):
    """An object of one of our kinds."""

    definition: ClassVar[Definition]

    api_version: str
    metadata: Metadata

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace or ""

    @cached_property
    def key(self) -> Key:
        return Key(kind=type(self).__name__, namespace=self.metadata.namespace, name=self.name)
