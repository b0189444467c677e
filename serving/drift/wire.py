"""Observations of the contract as the service receives them: with the embedding decoded."""

import binascii
from base64 import b64decode
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema

from contract.body import MOST_DIMENSIONS
from contract.drift import MOST_OBSERVATIONS, Observation, Observations

Vector = NDArray[np.float32]


def decoded(value: object) -> Vector | None:
    """Base64 of little-endian float32[dimensions], or None. Raises ValueError."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be base64 text or null")
    try:
        data = b64decode(value, validate=True)
    except (binascii.Error, ValueError) as invalid:
        raise ValueError("is not base64") from invalid
    if len(data) % 4 or not 0 < len(data) <= 4 * MOST_DIMENSIONS:
        raise ValueError(f"has {len(data)} bytes: give 1 to {MOST_DIMENSIONS:,} numbers of little-endian float32")
    vector = np.frombuffer(data, "<f4").astype(np.float32)
    if not np.isfinite(vector).all():
        raise ValueError("has a value that is NaN or infinite")
    return vector


_SCHEMA = {"anyOf": [{"type": "string", "contentEncoding": "base64"}, {"type": "null"}]}


class ReceivedObservation(Observation):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    embedding: Annotated[Vector | None, PlainValidator(decoded), WithJsonSchema(_SCHEMA)]  # type: ignore[assignment]


class ReceivedObservations(Observations):
    observations: Annotated[list[ReceivedObservation], Field(max_length=MOST_OBSERVATIONS)]  # type: ignore[assignment]
