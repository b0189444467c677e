"""The bases of HTTP bodies between parts: snake_case, lists rather than tuples."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# The longest name of a tenant or knowledge base in a request. Kubernetes allows fewer names; a name that it does not
# allow matches nothing.
PRINTABLE_NAME_BYTES = 63

MOST_DIMENSIONS = 4_096  # of an embedding
# Base64 of an embedding: little-endian float32, 1 to 4,096 numbers.
Embedding = Annotated[str, StringConstraints(min_length=8, max_length=21_848, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]


class Body(BaseModel):
    """The base of requests: strict types, unknown fields refused, values never repeated in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Reply(BaseModel):
    """The base of answers. Callers of an older release ignore unknown fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")
