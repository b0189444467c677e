"""`/v1/tenants/NAME/fine_tunes` and `/evaluations`: jobs with their progress and results; trainings are begun here."""

from typing import Any

from fastapi import APIRouter

from contract.adapter import FINE_TUNE
from contract.body import Body
from contract.fine_tune import FineTune
from contract.names import API_VERSION
from contract.objects import InvalidObjectError, Objects, parse_object
from contract.value import Name
from operators.management import views
from operators.management.errors import NotFoundError
from operators.management.routes.objects import TENANT, listed, objects_of
from operators.management.service import TenantCalls
from service.application import refusals, router
from service.errors import InvalidRequestError

FINE_TUNES = TENANT + "/fine_tunes"
Json = dict[str, Any]


class BeginTraining(Body):
    """`spec` has the fields of a FineTune."""

    name: Name
    spec: Json


def job_routes() -> APIRouter:
    routes = router()

    @routes.get(FINE_TUNES, responses=refusals(404))
    async def fine_tunes(tenant: str, calling: TenantCalls) -> Json:
        objects, owner = await objects_of(calling, tenant)
        return listed([views.shown(item) for item in views.in_namespace(objects.fine_tunes, owner.spec.namespace)])

    @routes.post(FINE_TUNES, responses=refusals(403, 404, 409))
    async def begin(tenant: str, body: BeginTraining, calling: TenantCalls) -> Json:
        """A new FineTune. Its conditions say later whether it is accepted, and how far it is."""
        objects, owner = await objects_of(calling, tenant)
        async with calling.change("training.begin", body.name):
            calling.identity.require("admin")
            item = _fine_tune(body, owner.spec.namespace)
            calling.identity.require_models(_models(item) | _followers(item, objects))
            await calling.management.place.add(item)
        return views.shown(item)

    @routes.delete(FINE_TUNES + "/{name}", responses=refusals(403, 404, 409))
    async def remove(tenant: str, name: str, calling: TenantCalls) -> Json:
        """Ends its job. An adapter that already answers stays as it is."""
        objects, owner = await objects_of(calling, tenant)
        mine = (each for each in objects.fine_tunes if (each.namespace, each.name) == (owner.spec.namespace, name))
        item = next(mine, None)
        async with calling.change("training.remove", name):
            calling.identity.require("admin")
            if item is None:
                raise NotFoundError(f"Tenant {tenant} has no training {name!r}.")
            calling.identity.require_models(_models(item) | _followers(item, objects))
            await calling.management.place.remove(item)
        return {"object": "fine_tune.deleted", "name": name, "deleted": True}

    @routes.get(TENANT + "/evaluations", responses=refusals(404))
    async def evaluations(tenant: str, calling: TenantCalls) -> Json:
        objects, owner = await objects_of(calling, tenant)
        return listed([views.shown(item) for item in views.in_namespace(objects.evaluations, owner.spec.namespace)])

    return routes


def _models(item: FineTune) -> frozenset[str]:
    """The models of a training."""
    teacher, start = item.spec.teacher, item.spec.start
    used = (item.spec.base_model, teacher.model.partition("@")[0] if teacher else "", start)
    return frozenset(filter(None, used))


def _followers(item: FineTune, objects: Objects) -> frozenset[str]:
    """Adapters serving the result of a training of this name."""
    source = f"{FINE_TUNE}{item.name}"
    return frozenset(
        each.name for each in objects.adapters if (each.namespace, each.spec.source) == (item.namespace, source)
    )


def _fine_tune(body: BeginTraining, namespace: str) -> FineTune:
    """Raises InvalidRequestError with the field and the reason."""
    metadata = {"name": body.name, "namespace": namespace}
    try:
        item = parse_object({"apiVersion": API_VERSION, "kind": "FineTune", "metadata": metadata, "spec": body.spec})
    except InvalidObjectError as error:
        raise InvalidRequestError(f"{error}.") from error
    assert isinstance(item, FineTune)  # noqa: S101  # by its kind
    if not item.spec.data.upload or item.spec.data.credentials:
        raise InvalidRequestError(
            "A training begun here learns from an uploaded file, without credentials: upload it with POST /v1/files "
            "(purpose fine-tune), and give spec.data.source as upload://ID."
        )
    return item
