"""Tenant: who owns a namespace, and what may be used from it."""

from typing import Annotated, Literal

from pydantic import Field

from operators.api.resource import Resource, Status
from operators.api.value import Name, Value


class Limits(Value):
    """Over any of these a request is refused with 429."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] = 200_000
    concurrent_requests: Annotated[int, Field(ge=1, le=100_000)] = 64


class TenantSpec(Value):
    namespace: Name
    limits: Limits = Limits()
    max_adapters: Annotated[int, Field(ge=0, le=10_000)] = 16


class TenantStatus(Status):
    adapters: int = 0


class Tenant(Resource):
    kind: Literal["Tenant"] = "Tenant"
    spec: TenantSpec
    status: TenantStatus = TenantStatus()
