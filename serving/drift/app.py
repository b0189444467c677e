"""The service: routes and the life of the detector."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from contract.drift import DriftReport, Rebased, Receipt, Registered, SignalReport, Tenants
from service.application import application, router
from service.background import Background
from service.errors import InvalidRequestError
from service.probes import Probes
from service.tokens import Tokens, optional
from serving.drift.detector import Detector, Report
from serving.drift.metrics import registry
from serving.drift.settings import Settings
from serving.drift.wire import ReceivedObservations

TICK = 1.0  # seconds between two checks for due tests


def create_app(settings: Settings, detector: Detector) -> FastAPI:
    background = Background()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with background.running("evaluate drift", evaluate_forever(detector)):
            yield
        await detector.close()

    async def fault() -> str:
        return background.fault

    return application(
        "Quiver drift",
        [routes(detector)],
        tokens=Tokens(settings.token.get_secret_value()),
        metrics_tokens=optional(settings.metrics_token.get_secret_value()),
        probes=Probes(registry(detector), ready=fault, alive=fault),
        lifespan=lifespan,
    )


async def evaluate_forever(detector: Detector) -> None:
    while True:
        await detector.evaluate()
        await asyncio.sleep(TICK)


def routes(detector: Detector) -> APIRouter:
    drift = router()

    @drift.post("/v1/observations", status_code=202)
    async def observe(body: ReceivedObservations) -> Receipt:
        """Takes finished requests; those of unregistered tenants are refused, and counted."""
        return detector.observe(body.observations)

    @drift.put("/v1/tenants")
    async def register(body: Tenants) -> Registered:
        """The complete set of tenants; data of all others is removed."""
        decision = await detector.register(body.tenants, body.references)
        return Registered(registered=len(decision.registered), refused=list(decision.refused))

    @drift.post("/v1/tenants/{tenant}/rebase", status_code=202)
    async def rebase(tenant: str) -> Rebased:
        """Begins new references of the tenant's signals, where a change is meant."""
        if not await detector.rebase(tenant):
            raise InvalidRequestError(f"tenant {tenant} is not watched; GET /v1/drift lists the tenants that are")
        return Rebased(tenant=tenant)

    @drift.get("/v1/drift")
    async def report() -> DriftReport:
        """The verdict on each signal of each tenant."""
        tenants: dict[str, dict[str, SignalReport]] = {}
        for item in detector.reports():
            tenants.setdefault(item.tenant, {})[item.signal] = signal_report(item)
        return DriftReport(tenants=tenants, causes={**detector.causes()})

    return drift


def signal_report(report: Report) -> SignalReport:
    test = report.verdict.test
    return SignalReport(
        state=report.verdict.state,
        cause=report.cause,
        since=report.verdict.since,
        p_value=test.p_value if test else None,
        statistic=test.statistic if test else None,
        alpha=test.alpha if test else None,
        tested_at=test.at if test else None,
        samples=report.samples,
        reference_samples=report.reference_samples,
        provisional=report.is_provisional,
        reference=report.reference,
        change=report.change,
    )
