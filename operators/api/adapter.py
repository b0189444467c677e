"""Adapter: a LoRA on a base model. Its versions are named by the digest of their content."""

from typing import Annotated, Literal

from pydantic import Field

from operators.api.resource import Resource, Status
from operators.api.value import Digest, Name, Uri, Value


class AdapterSpec(Value):
    """`digest` pins the content: any other content at `source` is refused."""

    base_model: Name
    source: Uri
    digest: Digest | None = None
    knowledge_bases: Annotated[tuple[Name, ...], Field(max_length=16)] = ()


class ActiveVersion(Value):
    """What the alias points to. `generation` grows by one with each flip."""

    digest: Digest
    engine_name: str
    base_model: Name
    source: Uri
    generation: int


class AdapterStatus(Status):
    active: ActiveVersion | None = None
    candidate: Digest | None = None
    draining: tuple[str, ...] = ()
    replicas_ready: int = 0
    replicas_desired: int = 0


class Adapter(Resource):
    kind: Literal["Adapter"] = "Adapter"
    spec: AdapterSpec
    status: AdapterStatus = AdapterStatus()
