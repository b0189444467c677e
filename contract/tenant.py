"""Tenant: who owns a namespace, and what may be used from it."""

from typing import Annotated, Literal

from pydantic import Field

from contract.resource import Resource, Status
from contract.value import Name, Value


class Limits(Value):
    """Over any of these a request is refused with 429."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Requests in any minute, over all of the tenant's keys."""
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] = 200_000
    """Tokens of prompts and answers in any minute."""
    concurrent_requests: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Requests that are answered at the same time."""


class TenantSpec(Value):
    """Who owns a namespace, and what may be used from it."""

    namespace: Name
    """The namespace that is the tenant's alone. It cannot be changed."""
    limits: Limits = Limits()
    """What the tenant's callers may use; over any of these a request is refused with 429."""
    max_adapters: Annotated[int, Field(ge=0, le=10_000)] = 16
    """Adapters that the tenant may have."""


class TenantStatus(Status):
    """What is known of the tenant."""

    namespace: Name | None = None
    """The namespace that the tenant owns: it keeps it, whoever else claims it."""
    adapters: int = 0
    """Adapters in the tenant's namespace."""


class Tenant(Resource):
    kind: Literal["Tenant"] = "Tenant"
    spec: TenantSpec
    status: TenantStatus = TenantStatus()
