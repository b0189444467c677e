"""Bodies of the drift detector."""

from typing import Annotated, Literal

from pydantic import Field

from contract.body import Body, Embedding, Reply
from contract.tenant import MOST_REFERENCE
from contract.value import Name

MOST_OBSERVATIONS = 1_000  # in one body

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]


# The outcome of a search; "none" without a search, "error" after a failed one.
Retrieval = Literal["evidence", "no_hits", "below_gate", "scope_empty", "continued", "conversation", "none", "error"]


class Observation(Body):
    """One finished request."""

    tenant: Annotated[str, Field(min_length=1, max_length=63)]
    model: Annotated[str, Field(min_length=1, max_length=253)]
    at: Seconds
    """When the request finished, in Unix seconds."""
    embedding: Embedding | None
    """The embedding of the question, if documents were searched for it and it is the first of its conversation: later
    ones are about the same."""
    retrieval: Retrieval
    finish_reason: Annotated[str, Field(max_length=64)] | None
    prompt_tokens: Tokens
    completion_tokens: Tokens
    first_token_s: Seconds | None
    total_s: Seconds


class Observations(Body):
    observations: Annotated[list[Observation], Field(max_length=MOST_OBSERVATIONS)]


class Receipt(Reply):
    """The numbers of observations from registered tenants and from other tenants."""

    accepted: int
    refused: int


class Tenants(Body):
    """The complete set of registered tenants. `references` are their texts of `spec.driftReference`: another one than
    before begins new references."""

    tenants: Annotated[list[Name], Field(max_length=100_000)]
    references: dict[Name, Annotated[str, Field(max_length=MOST_REFERENCE)]] = Field(default_factory=dict)


class Registered(Reply):
    registered: int
    refused: list[str]
    """Tenants beyond the detector's limit."""


class SignalReport(Reply):
    """One signal of one tenant. Fields of a test are null before the first test."""

    state: str
    since: float | None
    """When the state began, in Unix seconds."""
    p_value: float | None
    statistic: float | None
    alpha: float | None
    tested_at: float | None
    """The time of the last test, in Unix seconds."""
    samples: int
    reference_samples: int
    provisional: bool
    """True while the reference is shorter than it is to be."""
    reference: str
    """Why the reference was begun, by the tenant's spec.driftReference."""


class Rebased(Reply):
    """The tenant whose references begin anew."""

    tenant: str


class DriftReport(Reply):
    tenants: dict[str, dict[str, SignalReport]]
    """By tenant, then by signal."""
