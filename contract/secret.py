"""The fields of a Kubernetes Secret for adapters' sources. It is not a kind of Quiver, and in no snapshot."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from contract.value import Name, Value

SecretKey = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]


class SecretMetadata(Value):
    name: Name
    namespace: Name


class Secret(Value):
    api_version: Literal["v1"]
    kind: Literal["Secret"]
    metadata: SecretMetadata
    type: Literal["Opaque"] = "Opaque"
    string_data: Annotated[Mapping[SecretKey, SecretStr], Field(max_length=64)]
