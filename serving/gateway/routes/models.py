"""GET /v1/models and /v1/models/NAME: the names that this key may use for `model`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from serving.gateway.authentication import Authentication
from serving.gateway.catalog import Catalog, Principal, Role, Target
from serving.gateway.discovery import Source
from serving.gateway.errors import model_not_found
from serving.gateway.forwarding import Forwarder


class ModelVersion(BaseModel):
    """A version of an adapter in the engines. `id` is a name for `model`, too."""

    id: str
    role: Role


class Model(BaseModel):
    """OpenAI's fields, and whether an engine can answer now."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    """Unknown for a version, but OpenAI's clients need a number."""
    owned_by: str
    parent: str | None
    """An adapter's base model; None for other models."""
    ready: bool
    versions: list[ModelVersion] = []


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


def routes(
    forwarder: Forwarder, authentication: Authentication, discovery: Source, *, embedder: str | None
) -> APIRouter:
    """`embedder` is the model name for embeddings, if the platform has an embedder."""
    router = APIRouter()

    def caller(request: Request) -> Principal:
        principal = authentication.principal(request.headers.getlist("authorization"))
        request.state.headers = forwarder.limits(principal.tenant)
        return principal

    Caller = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @router.get("/v1/models")
    async def models(principal: Caller) -> ModelList:
        """Lists the names that this key may use for `model`."""
        return ModelList(data=_models(discovery.catalog, principal, embedder))

    @router.get("/v1/models/{name:path}")
    async def model(name: str, principal: Caller) -> Model:
        """Shows one of this key's names for `model`."""
        if name == embedder and principal.may_use(name):
            return _embedder(name)
        target = discovery.catalog.target(principal, name)
        if target is None:
            raise model_not_found(name)
        return _model(target, discovery.catalog)

    return router


def _models(catalog: Catalog, principal: Principal, embedder: str | None) -> list[Model]:
    targets = catalog.tenants[principal.tenant].targets.values()
    models = [_model(target, catalog) for target in targets if principal.may_use(target.name)]
    if embedder and principal.may_use(embedder):
        models.append(_embedder(embedder))
    return models


def _embedder(name: str) -> Model:
    return Model(id=name, owned_by="quiver", parent=None, ready=True)


def _model(target: Target, catalog: Catalog) -> Model:
    parent = None if target.name == target.base_model else target.base_model
    return Model(
        id=target.label,
        owned_by=target.tenant,
        parent=parent,
        ready=bool(catalog.holders(target)),
        versions=[] if target.version else _versions(target, catalog),
    )


def _versions(target: Target, catalog: Catalog) -> list[ModelVersion]:
    """Those that an engine has: earlier ones stay as far as there is room."""
    named = ((version, target.at_version(version.id)) for version in target.versions)
    return [
        ModelVersion(id=f"{target.name}@{version.id}", role=version.role)
        for version, at in named
        if at and catalog.holders(at)
    ]
