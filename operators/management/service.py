"""What the routes of the management API work with, and the caller of a request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from operators.management.callers import Callers
from operators.management.changes import Change, Changes
from operators.management.gateway import Gateway
from operators.management.identity import Identity
from operators.management.place import Place
from operators.management.ratings import Ratings
from operators.management.sessions import Sessions
from service.access import request_id
from service.errors import ServiceError


@dataclass(frozen=True)
class Management:
    place: Place
    callers: Callers
    sessions: Sessions
    changes: Changes
    ratings: Ratings
    gateway: Gateway | None


@dataclass(frozen=True)
class Caller:
    """`record` writes a change to the record, under the caller's name."""

    identity: Identity
    management: Management
    address: str

    async def record(self, action: str, subject: str, outcome: int) -> None:
        await self.management.changes.add(
            Change(
                tenant=self.identity.tenant or "",
                actor=self.identity.actor,
                action=action,
                subject=subject,
                outcome=outcome,
                address=self.address,
                request_id=request_id.get(),
            )
        )

    async def recorded(self, action: str, subject: str, work: Callable[[], Awaitable[None]]) -> None:
        """Does the work, and records how it ended."""
        try:
            await work()
        except ServiceError as error:
            await self.record(action, subject, error.status)
            raise
        await self.record(action, subject, 200)


def management(request: Request) -> Management:
    value: Management = request.app.state.management
    return value


Services = Annotated[Management, Depends(management)]


async def caller(request: Request, services: Services) -> Caller:
    """Raises UnauthorizedError."""
    identity = await services.callers.identity(request.headers)
    peer = request.client.host if request.client else ""
    return Caller(identity, services, services.callers.address(request.headers, peer))


Calls = Annotated[Caller, Depends(caller)]


async def of_tenant(tenant: str, calling: Calls) -> Caller:
    """The caller, for a path below /v1/tenants/NAME. Raises NotFoundError."""
    calling.identity.require_tenant(tenant)
    return calling


TenantCalls = Annotated[Caller, Depends(of_tenant)]
