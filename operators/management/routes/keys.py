"""`/v1/tenants/NAME/keys`: make, list and revoke API keys."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from contract.api_key import APIKey, Scope, new_key
from contract.body import Body
from contract.value import Name
from operators.management import views
from operators.management.errors import NotFoundError
from operators.management.routes.objects import TENANT, Json, listed, objects_of
from operators.management.service import TenantCalls
from service.application import refusals, router

KEYS = TENANT + "/keys"


class CreateKey(Body):
    """`days` until it expires, never without them; `models` that it may use, all without them."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1)] = Field(default=["inference"])
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    models: Annotated[list[Name], Field(max_length=256)] = Field(default=[])


def key_routes() -> APIRouter:
    routes = router()

    @routes.get(KEYS, responses=refusals(403, 404))
    async def keys(tenant: str, calling: TenantCalls) -> Json:
        """Without the keys themselves, which are stored nowhere."""
        calling.identity.require("admin")
        objects, owner = await objects_of(calling, tenant)
        mine = [key for key in objects.api_keys if key.namespace == owner.spec.namespace]
        return listed([_shown(key) for key in mine])

    @routes.post(KEYS, responses=refusals(403, 404, 409))
    async def create(tenant: str, body: CreateKey, calling: TenantCalls) -> Json:
        """The answer has the key. It is shown once."""
        expires_at = None if body.days is None else datetime.now(UTC) + timedelta(days=body.days)
        _, owner = await objects_of(calling, tenant)
        key, item = new_key(
            owner.spec.namespace,
            body.name,
            secrets.token_bytes(32),
            expires_at=expires_at,
            models=tuple(body.models) or tuple(sorted(calling.identity.models or ())),
            scopes=body.scopes,
        )
        async with calling.change("key.create", body.name):
            calling.identity.require("admin")
            calling.identity.require_models(body.models)
            await calling.management.place.add(item)
        return {**_shown(item), "key": key}

    @routes.delete(KEYS + "/{name}", responses=refusals(403, 404, 409))
    async def revoke(tenant: str, name: str, calling: TenantCalls) -> Json:
        """Gateways refuse it once this is answered; its sessions end."""
        objects, owner = await objects_of(calling, tenant)
        mine = views.in_namespace(objects.api_keys, owner.spec.namespace)
        item = next((key for key in mine if key.name == name and isinstance(key, APIKey)), None)
        async with calling.change("key.revoke", name):
            calling.identity.require("admin")
            if item is None:
                raise NotFoundError(f"Tenant {tenant} has no key {name!r}.")
            await calling.management.place.remove(item)
        return {"object": "key.deleted", "name": name, "deleted": True}

    return routes


def _shown(key: APIKey) -> dict[str, Any]:
    return {
        "object": "key",
        "name": key.name,
        "prefix": key.spec.prefix,
        "scopes": sorted(key.spec.scopes),
        "models": None if key.spec.models is None else list(key.spec.models),
        "expires_at": key.spec.expires_at.isoformat() if key.spec.expires_at else None,
        "last_used": key.status.last_used.isoformat() if key.status.last_used else None,
    }
