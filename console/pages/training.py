"""Trainings and comparisons: progress and results."""

from fastapi import APIRouter
from starlette.responses import Response

from console.visit import SignedIn


def routes() -> APIRouter:
    pages = APIRouter(prefix="/training")

    @pages.get("")
    async def training(visit: SignedIn) -> Response:
        trainings = (await visit.get(f"{visit.path}/fine_tunes"))["data"]
        comparisons = (await visit.get(f"{visit.path}/evaluations"))["data"]
        return visit.page("training.html", trainings=trainings, comparisons=comparisons)

    return pages
