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
    """The first answer of a conversation: later ones are about the same."""

    tenant: Annotated[str, Field(min_length=1, max_length=63)]
    model: Annotated[str, Field(min_length=1, max_length=253)]
    """The name that was asked for."""
    version: Annotated[str, Field(max_length=253)] = ""
    """What answered under that name; empty if no engine was asked."""
    embedder: Annotated[str, Field(max_length=253)] = ""
    """The model of the embedding; empty without a search."""
    embedding: Embedding | None
    """The embedding of the question, if documents were searched for it."""
    retrieval: Retrieval
    relevance: Annotated[float, Field(ge=0, le=1)] | None = None
    """Of the most relevant hit, whether or not it was evidence; null without hits."""
    abstained: bool = False
    """True if the documents do not support an answer, and no engine was asked."""
    cited: bool | None = None
    """Whether the answer cites a passage; null if none was given to it."""
    finish_reason: Annotated[str, Field(max_length=64)] | None
    completion_tokens: Tokens
    answer_s: Seconds | None = None
    """From the request to the engine to the end of its answer; null if none was asked."""


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
    cause: str
    """What has changed if this signal drifts alone."""
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
    change: str
    """The change of an embedder or of an adapter's version that began the reference; empty if there was none."""


class Rebased(Reply):
    """The tenant of the new references."""

    tenant: str


class DriftReport(Reply):
    tenants: dict[str, dict[str, SignalReport]]
    """By tenant, then by signal."""
    causes: dict[str, str]
    """What has changed (questions, documents, answers or engine), of each tenant with a signal that drifts."""
