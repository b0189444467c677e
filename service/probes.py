"""Liveness, readiness and metrics of a service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from service.bearer import METRICS
from service.errors import ErrorBody, UnavailableError
from service.series import page


class ProbeStatus(BaseModel):
    status: str


async def _nothing_is_wrong() -> str:
    return ""


@dataclass(frozen=True)
class Probes:
    """`alive` and `ready` return the fault, or "" if there is none. The probe's answer shows the fault."""

    registry: CollectorRegistry
    ready: Callable[[], Awaitable[str]]
    alive: Callable[[], Awaitable[str]] = _nothing_is_wrong

    def router(self) -> APIRouter:
        routes = APIRouter(responses={503: {"model": ErrorBody}})

        @routes.get("/healthz")
        async def healthz() -> ProbeStatus:
            """True if the process is healthy; otherwise restart it."""
            return _status(await self.alive())

        @routes.get("/readyz")
        async def readyz() -> ProbeStatus:
            """True if the service can answer requests."""
            return _status(await self.ready())

        @routes.get(METRICS, response_class=Response, responses={200: {"content": {"text/plain": {}}}, 401: _ERROR})
        async def metrics() -> Response:
            """For Prometheus."""
            return StreamingResponse(page(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

        return routes


_ERROR = {"model": ErrorBody}


def _status(fault: str) -> ProbeStatus:
    if fault:
        raise UnavailableError(fault)
    return ProbeStatus(status="ok")
