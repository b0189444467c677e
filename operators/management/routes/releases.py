"""`/v1/tenants/NAME/adapters`: versions, canaries, and decisions about them."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from contract.adapter import Adapter, AdapterStatus, HistoryEntry
from contract.body import Body
from contract.resource import Key
from contract.value import Digest
from operators.management import views
from operators.management.errors import NotFoundError
from operators.management.place import Action, Place
from operators.management.routes.objects import TENANT, Json, listed, objects_of
from operators.management.service import Caller, TenantCalls
from service.application import refusals, router
from service.errors import ConflictError, UnavailableError

ADAPTERS = TENANT + "/adapters"
ADAPTER = ADAPTERS + "/{name}"
OUTCOME_S = 30.0
_LOOK_S = 0.1


class Decide(Body):
    """`against` is the version that the caller saw as the active one: after another change the decision is refused."""

    against: Digest | None = None
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{6,64}$")] | None = None


def release_routes() -> APIRouter:
    routes = router()

    @routes.get(ADAPTERS, responses=refusals(404))
    async def adapters(tenant: str, calling: TenantCalls) -> Json:
        objects, owner = await objects_of(calling, tenant)
        mine = [item for item in objects.adapters if item.namespace == owner.spec.namespace]
        return listed([views.shown(item) for item in mine])

    @routes.get(ADAPTER, responses=refusals(404))
    async def adapter(tenant: str, name: str, calling: TenantCalls) -> Json:
        """With its history, newest first."""
        return views.shown(await _adapter(calling, tenant, name))

    @routes.post(ADAPTER + "/promote", responses=refusals(403, 404, 409))
    async def promote(tenant: str, name: str, body: Decide, calling: TenantCalls) -> Json:
        """Releases the waiting version: a canary, or a version taken back earlier."""
        return await _decide(calling, await _adapter(calling, tenant, name), "Promote", body)

    @routes.post(ADAPTER + "/rollback", responses=refusals(403, 404, 409))
    async def rollback(tenant: str, name: str, body: Decide, calling: TenantCalls) -> Json:
        """Returns to an earlier version kept in the engines, or ends a canary."""
        return await _decide(calling, await _adapter(calling, tenant, name), "Rollback", body)

    return routes


async def _adapter(calling: Caller, tenant: str, name: str) -> Adapter:
    """Raises NotFoundError."""
    objects, owner = await objects_of(calling, tenant)
    named = (item for item in objects.adapters if (item.namespace, item.name) == (owner.spec.namespace, name))
    item = next(named, None)
    if item is None:
        raise NotFoundError(f"Tenant {tenant} has no adapter {name!r}.")
    return item


async def _decide(calling: Caller, item: Adapter, action: Action, body: Decide) -> dict[str, Any]:
    async with calling.change(f"adapter.{action.lower()}", f"{item.namespace}/{item.name}"):
        calling.identity.require("admin")
        active = item.status.active.digest if item.status.active else None
        if body.against is not None and body.against != active:
            raise ConflictError(f"Another version of {item.name} is active by now: look at it again, then decide.")
        entry = await _outcome(calling.management.place, item.key, action, active, body.digest)
    return entry.model_dump(by_alias=True)


async def _outcome(place: Place, key: Key, action: Action, active: str | None, digest: str | None) -> HistoryEntry:
    """Waits until the decision is carried out everywhere. Raises ConflictError if it is refused."""
    decision = await place.decide(key, action, against=active, digest=digest)
    deadline = time.monotonic() + OUTCOME_S
    while time.monotonic() < deadline:
        status = await _status(place, key)
        entry = next((each for each in status.history if each.decision == decision.id), None)
        if entry and entry.event == "DecisionRefused":
            raise ConflictError(f"{key.name}: {entry.message}")
        if entry and status.routed:
            return entry
        await asyncio.sleep(_LOOK_S)
    raise UnavailableError(
        f"The decision about {key.name} was not carried out within {OUTCOME_S:.0f} s. It will be, as soon as every "
        "replica answers with that version."
    )


async def _status(place: Place, key: Key) -> AdapterStatus:
    adapters = (await place.snapshot()).objects.adapters
    return next((item.status for item in adapters if item.key == key), AdapterStatus())
