"""The agent's HTTP face: the desired set in, status out.

PUT /v1/desired      the complete desired set; answers at once
GET /v1/status       ?seen=VERSION&wait=SECONDS waits for a change
GET /drained         once the engine has nothing left to answer: what a pod waits for before it stops
GET /healthz /readyz /metrics
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from prometheus_client import generate_latest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from contract.agent import DesiredSet
from contract.objects import facts
from service.tokens import Tokens
from serving.agent.artifacts import Artifacts
from serving.agent.converge import Convergence
from serving.agent.culprits import Culprits
from serving.agent.engine import Engine, connect
from serving.agent.errors import UnavailableError
from serving.agent.metrics import Metrics
from serving.agent.rules import PendingRules
from serving.agent.settings import Settings
from serving.agent.sources.fetcher import Fetcher
from serving.agent.store import Store

MAX_WAIT_S = 60.0
# After a pod is told to stop, gateways may send to it until they have heard of it.
HEARD_S = 5.0
# An engine that was idle in so many looks, one after the other, has nothing left to answer.
IDLE_LOOKS = 3
LOOK_S = 0.5

Handler = Callable[[Request], Awaitable[Response]]


def create_app(settings: Settings) -> Starlette:
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = await asyncio.to_thread(Store, settings.store)
        rules = PendingRules(
            settings.base_model, settings.base_source, max_rank=settings.max_rank, hub_cache=settings.hub_cache
        )
        await rules.read(engine_runs=False)
        culprits = await asyncio.to_thread(Culprits, settings.store)
        fetcher = await asyncio.to_thread(Fetcher, settings.policy)
        artifacts = Artifacts(fetcher, store, rules, metrics, grace_s=settings.store_grace_s)
        async with connect(
            settings.engine_url, settings.engine_api_key.get_secret_value(), settings.base_model
        ) as engine:
            convergence = Convergence(engine, artifacts, rules, culprits, metrics)
            app.state.convergence = convergence
            app.state.engine = engine
            task = asyncio.create_task(convergence.run())
            yield
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    guard = _guard(Tokens(settings.token.get_secret_value()))
    measured = _guard(Tokens(key)) if (key := settings.metrics_token.get_secret_value()) else _open
    routes = [
        Route("/v1/desired", guard(_desire), methods=["PUT"]),
        Route("/v1/status", guard(_status)),
        Route("/drained", _drained),
        Route("/healthz", _healthz),
        Route("/engine", _engine),
        Route("/readyz", _readyz),
        Route("/metrics", measured(_metrics(metrics))),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _metrics(metrics: Metrics) -> Handler:
    async def handler(request: Request) -> Response:
        return PlainTextResponse(generate_latest(metrics.registry))

    return handler


def _open(handler: Handler) -> Handler:
    return handler


def _guard(tokens: Tokens) -> Callable[[Handler], Handler]:
    def guard(handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            if not tokens.accept(request.headers.get("authorization", "")):
                return JSONResponse({"error": "the agent answers its operator only; send its token"}, 401)
            return await handler(request)

        return guarded

    return guard


async def _desire(request: Request) -> Response:
    try:
        desired = DesiredSet.model_validate_json(await request.body())
    except ValidationError as error:
        return JSONResponse({"error": facts(error)}, 422)
    request.app.state.convergence.desire(desired)
    return JSONResponse({}, 202)


async def _status(request: Request) -> Response:
    try:
        seen = int(request.query_params.get("seen", "-1"))
        wait = min(float(request.query_params.get("wait", "0")), MAX_WAIT_S)
    except ValueError:
        return JSONResponse({"error": "seen is a whole number, wait a number of seconds"}, 400)
    latest = request.app.state.convergence.status
    status = await latest.beyond(seen, wait)
    if status is None:
        return JSONResponse({"error": "nothing is known of the engine yet; send the desired set"}, 503)
    return JSONResponse(status.model_copy(update={"version": latest.version}).model_dump(mode="json", by_alias=True))


async def _drained(request: Request) -> Response:
    """It only looks: whoever asks can hold up nobody but themselves."""
    await asyncio.sleep(HEARD_S)
    idle = 0
    while idle < IDLE_LOOKS:
        await asyncio.sleep(LOOK_S)
        idle = 0 if await _busy(request.app.state.engine) else idle + 1
    return PlainTextResponse("drained")


async def _busy(engine: Engine) -> bool:
    try:
        return await engine.busy()
    except UnavailableError:  # one that is gone answers nobody
        return False


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _engine(request: Request) -> Response:
    """What the engine's container is restarted by, beside its own health: it serves nobody well any more."""
    status = request.app.state.convergence.status.value
    if status is not None and status.spoiled_by:
        return PlainTextResponse(f"the base model answers otherwise since {status.spoiled_by} was loaded", 503)
    return PlainTextResponse("ok")


async def _readyz(request: Request) -> Response:
    status = request.app.state.convergence.status.value
    ready = status is not None and status.ready
    return PlainTextResponse(
        "ready" if ready else "the engine or a required adapter does not answer", 200 if ready else 503
    )
