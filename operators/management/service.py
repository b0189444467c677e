"""The services behind the routes of the management API, and the caller of a request."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from service.errors import ServiceError, UnavailableError

logger = logging.getLogger(__name__)

UNKNOWN = 0  # of a change: its caller left before the answer


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
    identity: Identity
    management: Management
    address: str

    @asynccontextmanager
    async def change(self, action: str, subject: str) -> AsyncIterator["Ending"]:
        """Records a change before it is made, and how it ended. Without the record nothing is changed."""
        change = Change(
            tenant=self.identity.tenant or "",
            actor=self.identity.actor,
            action=action,
            subject=subject,
            outcome=0,
            address=self.address,
            request_id=request_id.get(),
        )
        change_id, ending = await self.management.changes.add(change), Ending()
        try:
            yield ending
        except ServiceError as error:
            ending.outcome = error.status
            raise
        except BaseException:  # the caller has left, or this process ends
            ending.outcome = UNKNOWN
            raise
        finally:
            await self._end(change_id, ending)

    async def _end(self, change_id: str, ending: "Ending") -> None:
        """A change stays even if its end cannot be recorded."""
        try:
            await self.management.changes.end(change_id, ending.outcome, ending.subject)
        except UnavailableError as error:
            logger.error("how change %s ended (%d) is not recorded: %s", change_id, ending.outcome, error)


@dataclass
class Ending:
    """The end of a change: the status of the answer, and the changed object if only the answer names it."""

    outcome: int = 200
    subject: str = ""


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
