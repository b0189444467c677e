"""The service: routes and the life of the detector."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.tokens import Tokens
from serving.drift.detector import Detector, Report
from serving.drift.errors import RequestError, StateError
from serving.drift.metrics import registry
from serving.drift.settings import Settings
from serving.drift.store import Store
from serving.drift.wire import Observations, Tenants, parsed

logger = logging.getLogger(__name__)

MOST_BYTES = 8_000_000  # of a body
TICK = 1.0  # seconds between two looks for tests that are due


def create_app(settings: Settings, *, clock: Callable[[], float], rng: np.random.Generator) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = await asyncio.to_thread(Store, settings.state)
        detector = await asyncio.to_thread(Detector, settings, store, clock=clock, rng=rng)
        app.state.detector = detector
        app.state.registry = registry(detector)
        app.state.evaluation = asyncio.create_task(evaluate_forever(detector))
        try:
            yield
        finally:
            app.state.evaluation.cancel()
            with suppress(asyncio.CancelledError):
                await app.state.evaluation
            await detector.close()

    app = Starlette(
        routes=[
            Route("/v1/observations", observe, methods=["POST"]),
            Route("/v1/tenants", register, methods=["PUT"]),
            Route("/v1/drift", drift, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
            Route("/readyz", health, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
        ],
        exception_handlers=dict.fromkeys((RequestError, StateError, HTTPException), refusal),
        lifespan=lifespan,
    )
    app.state.tokens = Tokens(settings.token.get_secret_value())
    key = settings.metrics_token.get_secret_value()
    app.state.metrics_tokens = Tokens(key) if key else None
    return app


async def evaluate_forever(detector: Detector) -> None:
    try:
        while True:
            await detector.evaluate()
            await asyncio.sleep(TICK)
    except Exception:
        logger.exception("the evaluation of drift has stopped")


async def observe(request: Request) -> Response:
    require_token(request)
    received = parsed(await limited_body(request), Observations)
    detector: Detector = request.app.state.detector
    receipt = detector.observe(received.observations)
    return JSONResponse({"accepted": receipt.accepted, "refused": receipt.refused}, 202)


async def register(request: Request) -> Response:
    require_token(request)
    wanted = parsed(await limited_body(request), Tenants)
    detector: Detector = request.app.state.detector
    decision = await detector.register(wanted.tenants)
    return JSONResponse({"registered": len(decision.registered), "refused": decision.refused})


async def drift(request: Request) -> Response:
    require_token(request)
    detector: Detector = request.app.state.detector
    return JSONResponse({"tenants": {report.tenant: {report.signal: shown(report)} for report in detector.reports()}})


async def health(request: Request) -> Response:
    """Alive and ready are one thing here: the tests go on being made."""
    if request.app.state.evaluation.done():
        return error(503, "the evaluation of drift has stopped; its log has the reason; restart the process")
    return JSONResponse({"status": "ok"})


async def metrics(request: Request) -> Response:
    tokens: Tokens | None = request.app.state.metrics_tokens
    if tokens and not tokens.accept(request.headers.get("authorization", "")):
        raise RequestError(401, "the Authorization header has no valid bearer token; send QUIVER_DRIFT_METRICS_TOKEN")
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)


def shown(report: Report) -> dict[str, Any]:
    test = report.verdict.test
    return {
        "state": report.verdict.state,
        "since": report.verdict.since,
        "p_value": test and test.p_value,
        "statistic": test and test.mmd2,
        "alpha": test and test.alpha,
        "tested_at": test and test.at,
        "samples": report.samples,
        "reference_samples": report.reference_samples,
    }


def require_token(request: Request) -> None:
    tokens: Tokens = request.app.state.tokens
    if not tokens.accept(request.headers.get("authorization", "")):
        raise RequestError(401, "the Authorization header has no valid bearer token; send QUIVER_DRIFT_TOKEN")


async def limited_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise RequestError(413, f"the body is larger than {MOST_BYTES:,} bytes; send fewer observations at once")
    return bytes(body)


async def refusal(_: Request, raised: Exception) -> Response:
    match raised:
        case RequestError():
            return error(raised.status, str(raised))
        case HTTPException():
            return error(raised.status_code, raised.detail)
        case _:
            return error(503, str(raised))


def error(status: int, message: str) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": {"message": message}}, status, headers)
