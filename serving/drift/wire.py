"""The bodies that are accepted. Unknown fields and values of another type are refused."""

import binascii
from base64 import b64decode
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from serving.drift.errors import RequestError
from serving.drift.windows import DIMENSIONS, Embeddings

MOST_OBSERVATIONS = 1_000  # in one body
LONGEST_MESSAGE = 500  # characters: a message may quote the name of an unknown field

Retrieval = Literal["evidence", "no_hits", "below_gate", "scope_empty", "none", "error"]
TenantName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]


def decoded(value: object) -> Embeddings | None:
    """Base64 of little-endian float32[384], or None. Raises ValueError."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be base64 text or null")
    try:
        data = b64decode(value, validate=True)
    except (binascii.Error, ValueError) as invalid:
        raise ValueError("is not base64") from invalid
    if len(data) != 4 * DIMENSIONS:
        raise ValueError(f"has {len(data)} bytes, expected {4 * DIMENSIONS}: little-endian float32[{DIMENSIONS}]")
    vector = np.frombuffer(data, "<f4").astype(np.float32)
    if not np.isfinite(vector).all():
        raise ValueError("has a value that is NaN or infinite")
    return vector


class Body(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


AnyBody = TypeVar("AnyBody", bound=Body)


class Observation(Body):
    """One finished request. `at` is Unix seconds, `*_s` are seconds, `embedding` is the query's, if it has one."""

    tenant: Annotated[str, Field(min_length=1, max_length=63)]
    model: Annotated[str, Field(min_length=1, max_length=253)]
    at: Seconds
    embedding: Annotated[Embeddings | None, PlainValidator(decoded)]
    retrieval: Retrieval
    finish_reason: Annotated[str, Field(max_length=64)] | None
    prompt_tokens: Tokens
    completion_tokens: Tokens
    first_token_s: Seconds | None
    total_s: Seconds


class Observations(Body):
    observations: Annotated[list[Observation], Field(max_length=MOST_OBSERVATIONS)]


class Tenants(Body):
    """The complete set of registered tenants."""

    tenants: Annotated[list[TenantName], Field(max_length=100_000)]


def parsed(body: bytes, kind: type[AnyBody]) -> AnyBody:
    """Raises RequestError that names the first fault and its place, and never repeats a value."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as invalid:
        fault = invalid.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "body"
        raise RequestError(422, f"{place}: {fault['msg']}"[:LONGEST_MESSAGE]) from invalid
