"""`/v1/tenants/NAME/ratings`: the golden set, from people's judgements of answers."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import StringConstraints

from contract.body import Body
from operators.management.ratings import Kept, Rating
from operators.management.records import SECOND
from operators.management.routes.objects import TENANT, Json, listed
from operators.management.service import TenantCalls
from service.application import refusals, router

RATINGS = TENANT + "/ratings"
Text = Annotated[str, StringConstraints(max_length=20_000)]


class Judge(Body):
    """`correction` is the right answer, where a person knows it."""

    model: Annotated[str, StringConstraints(max_length=256)]
    question: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    answer: Text
    is_right: bool
    correction: Text = ""


def rating_routes() -> APIRouter:
    routes = router()

    @routes.get(RATINGS, responses=refusals(404))
    async def ratings(tenant: str, calling: TenantCalls) -> Json:
        _ = calling.identity.own_tenant
        return listed([_shown(each) for each in await calling.management.ratings.of_tenant(tenant)])

    @routes.post(RATINGS, responses=refusals(404))
    async def judge(tenant: str, body: Judge, calling: TenantCalls) -> Json:
        _ = calling.identity.own_tenant
        rating = Rating(tenant, calling.identity.actor, body.model, body.question, body.answer, body.is_right,
                        body.correction)  # fmt: skip
        async with calling.change("rating.add", body.model) as ending:
            kept = await calling.management.ratings.add(rating)
            ending.subject = f"{body.model} ({kept.id})"
        return _shown(kept)

    @routes.delete(RATINGS + "/{rating_id}", responses=refusals(403, 404))
    async def remove(tenant: str, rating_id: str, calling: TenantCalls) -> Json:
        async with calling.change("rating.remove", rating_id):
            calling.identity.require("documents")
            await calling.management.ratings.remove(tenant, rating_id)
        return {"object": "rating.deleted", "id": rating_id, "deleted": True}

    return routes


def _shown(kept: Kept) -> dict[str, Any]:
    rating = kept.rating
    return {
        "object": "rating",
        "id": kept.id,
        "created_at": kept.at // SECOND,
        "actor": rating.actor,
        "model": rating.model,
        "question": rating.question,
        "answer": rating.answer,
        "is_right": rating.is_right,
        "correction": rating.correction,
    }
