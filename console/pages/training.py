"""Trainings and comparisons: progress and results; beginning a training from an uploaded file, and removing one."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from console.api import ApiError, Json
from console.pages import ask
from console.security import segment
from console.visit import SignedIn, Visit
from contract.fine_tune import METHODS, UPLOAD, simple_spec

UPLOADS = "/training/uploads"
PURPOSE = "fine-tune"
MOST_FILES = 100
Text = Annotated[str, Form(max_length=256)]


def routes() -> APIRouter:
    pages = APIRouter(prefix="/training")

    @pages.get("")
    async def training(visit: SignedIn, data: str = "") -> Response:
        trainings, comparisons = await visit.every(f"{visit.path}/fine_tunes", f"{visit.path}/evaluations")
        choices = await _choices(visit) if visit.may("admin") else None
        return visit.page(
            "training.html",
            trainings=trainings["data"],
            comparisons=comparisons["data"],
            choices=choices,
            chosen=data,
            methods=METHODS,
        )

    @pages.post("/uploads")
    async def upload(request: Request, visit: SignedIn) -> Response:
        """A form with a file and its purpose."""
        file = await visit.api.upload(visit.person, request)
        return visit.go(f"/training?data={segment(file['id'])}", "added")

    @pages.post("")
    async def begin(
        visit: SignedIn,
        name: Text,
        data: Text,
        base_model: Text,
        method: Text = "LoRA",
        teacher: Text = "",
        collection: Text = "",
        learning_rate: Annotated[float | Literal[""], Form()] = "",
        epochs: Annotated[int | Literal[""], Form()] = "",
    ) -> Response:
        """The adapter of the result has the training's name. With a teacher, the file has questions."""
        spec = simple_spec(
            name,
            base_model,
            method,
            rate=learning_rate or None,
            epochs=epochs or None,
            teacher=teacher,
            bases=[collection] if collection else [],
        )
        spec["data"] = {"source": f"{UPLOAD}{data}"}
        await visit.post(f"{visit.path}/fine_tunes", {"name": name, "spec": spec})
        return visit.go("/training", "begun")

    @pages.post("/data/{file_id}/remove")
    async def remove_data(visit: SignedIn, file_id: str) -> Response:
        """A training with a step keeps its copy."""
        await visit.delete(f"/v1/files/{segment(file_id)}")
        return visit.go("/training", "removed")

    @pages.post("/{name}/remove")
    async def remove(visit: SignedIn, name: str) -> Response:
        await visit.delete(f"{visit.path}/fine_tunes/{segment(name)}")
        return visit.go("/training", "removed")

    return pages


async def _choices(visit: Visit) -> Json:
    """The choices of a new training; none while the gateway or the documents are away."""
    try:
        models, bases, files = await asyncio.gather(
            ask.models(visit),
            visit.get(f"{visit.path}/knowledge_bases"),
            visit.get("/v1/files", purpose=PURPOSE, limit=str(MOST_FILES), order="desc"),
        )
    except ApiError:
        return {"files": [], "base_models": [], "teachers": [], "collections": []}
    return {
        "files": files["data"],
        "base_models": [each["id"] for each in models if "parent" in each and each["parent"] is None],
        "teachers": [each["id"] for each in models],
        "collections": [each["metadata"]["name"] for each in bases["data"]],
    }
