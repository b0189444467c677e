"""Tenant: the owner of a namespace, and the limits of its use."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contract.definition import NAME_RULE, Column, Definition, Rule
from contract.resource import Resource, Status
from contract.value import Name, Value

MOST_USES = 1000
MOST_REFERENCE = 200  # characters


class Limits(Value):
    """A request over any of these limits is refused with 429."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Requests in any minute, with all of the tenant's keys together."""
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] = 200_000
    """Tokens of prompts and answers in any minute."""
    concurrent_requests: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Requests answered at the same time."""


class DocumentLimits(Value):
    """An upload over any of these limits is refused."""

    max_bytes: Annotated[int, Field(ge=0)] = 1_000_000_000
    """Bytes of all uploaded files together."""
    max_files: Annotated[int, Field(ge=0, le=1_000_000)] = 10_000
    """Uploaded files."""
    max_vector_stores: Annotated[int, Field(ge=0, le=10_000)] = 100
    """Vector stores made by the API. KnowledgeBase objects do not count."""


class TrainingLimits(Value):
    """A training over any of these limits waits."""

    at_once: Annotated[int, Field(ge=0, le=1000)] = 1
    """Trainings that run at the same time."""
    hours_a_month: Annotated[float, Field(ge=0, le=1_000_000)] = 100
    """Hours of all trainings in a calendar month (UTC); each GPU of a training counts."""


class Slo(Value):
    """What the tenant's callers may expect. Alerts say when the allowance of a month is used up too fast."""

    availability: Annotated[float, Field(ge=0.5, le=0.9999)] = 0.99
    """The share of requests that the platform does not fail. Callers' mistakes and limits do not count."""
    first_token_seconds: Annotated[float, Field(ge=0.05, le=60)] = 5
    """The longest time to the first token of a stream, in seconds."""
    first_token_share: Annotated[float, Field(ge=0.5, le=0.9999)] = 0.95
    """The share of streams whose first token comes within that time."""


class TenantSpec(Value):
    """The owner of a namespace, and the limits of its use."""

    namespace: Name
    """The tenant's own namespace. It cannot be changed."""
    limits: Limits = Limits()
    """Limits of the tenant's callers; a request over any of these is refused with 429."""
    documents: DocumentLimits = DocumentLimits()
    """Limits of the tenant's uploads; one over any of these is refused."""
    training: TrainingLimits = TrainingLimits()
    """Limits of the tenant's trainings; one over any of these waits."""
    slo: Slo = Slo()
    """What the tenant's callers may expect; alerts go by it."""
    drift_reference: Annotated[str, Field(max_length=MOST_REFERENCE)] = ""
    """Another text here begins new references of drift, where a change is meant. Write who, when and why, such as
    kim, 2026-11-30: a new product line."""
    max_adapters: Annotated[int, Field(ge=0, le=10_000)] = 16
    """The tenant's maximum number of adapters."""
    max_pinned_adapters: Annotated[int, Field(ge=0, le=10_000)] = 0
    """So many of the tenant's pinned adapters, by their names, keep their places in the engines' memory first."""


class TrainingUse(Value):
    """The time of one training in the current month."""

    month: str
    """The month in which it began, as 2026-01 (UTC)."""
    run: str
    """Identifies the training, and the FineTune that it is of."""
    seconds: int
    """Its time, once for each GPU."""


class TenantStatus(Status):
    """The observed state of the tenant."""

    namespace: Name | None = None
    """The namespace that the tenant owns; later claims of other tenants to it are refused."""
    adapters: int = 0
    """Adapters in the tenant's namespace."""
    training: Annotated[tuple[TrainingUse, ...], Field(max_length=MOST_USES)] = ()
    """The trainings of the current month, also of FineTunes that are deleted."""


class Tenant(Resource):
    definition: ClassVar[Definition] = Definition(
        "tenants", "qt", (Column("Namespace", ".spec.namespace"),), namespaced=False,
        rules=(
            NAME_RULE,
            Rule("spec.namespace", "self == oldSelf",
                 "a tenant keeps its namespace; make another Tenant for another namespace"),
            Rule("spec.namespace", "!self.startsWith('kube-') && self != 'default'",
                 "choose a namespace that is the tenant's alone, not one of the cluster's"),
        ),
    )  # fmt: skip
    kind: Literal["Tenant"] = "Tenant"
    spec: TenantSpec
    status: TenantStatus = TenantStatus()
