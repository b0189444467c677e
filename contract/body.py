"""The bases of what the parts send to each other over HTTP: snake_case, lists rather than tuples."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# Of a tenant or a knowledge base in a request for documents. Kubernetes' names are narrower; a name that no object can
# have is the name of nothing.
PRINTABLE_NAME_BYTES = 63

DIMENSIONS = 384  # of an embedding
# Base64 of an embedding: little-endian float32[384].
Embedding = Annotated[str, StringConstraints(min_length=2048, max_length=2048, pattern=r"^[A-Za-z0-9+/]*$")]


class Body(BaseModel):
    """Of a request: strict types, unknown fields refused, values never repeated in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Reply(BaseModel):
    """To a request. A caller of an older release ignores what it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
