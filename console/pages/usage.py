"""Usage and limits, and whether conversations have changed."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from console.visit import SignedIn
from contract.conditions import STEADY


def routes() -> APIRouter:
    pages = APIRouter(prefix="/usage")

    @pages.get("")
    async def usage(visit: SignedIn) -> Response:
        used, tenant = await asyncio.gather(visit.get(f"{visit.path}/usage"), visit.get(visit.path))
        return visit.page("usage.html", usage=used, drift=_drift(tenant))

    return pages


def _drift(tenant: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The condition; None without enough evidence."""
    conditions = tenant["status"].get("conditions", ())
    return next((condition for condition in conditions if condition["type"] == STEADY), None)
