"""The agent's HTTP interface: the desired set in, status out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from contract.agent import AgentStatus, DesiredChange, DesiredSet
from service.application import application, refusals, router
from service.background import Background
from service.errors import ConflictError, UnavailableError
from service.probes import Probes
from service.tokens import Tokens, optional
from serving.agent.artifacts import Artifacts
from serving.agent.converge import Convergence
from serving.agent.culprits import Culprits
from serving.agent.engine import Engine, connect
from serving.agent.engine_memory import EngineMemory
from serving.agent.metrics import Metrics
from serving.agent.rules import PendingRules
from serving.agent.settings import Settings
from serving.agent.sources.fetcher import Fetcher
from serving.agent.store import Store

# Seconds in which gateways may still send requests to a stopping pod, before they learn that it stops.
HEARD_S = 5.0
# After this many idle checks in a row, LOOK_S apart, the engine has nothing left to answer.
IDLE_LOOKS = 3
LOOK_S = 0.5
DRAINED, ENGINE = "/drained", "/engine"


class Accepted(BaseModel):
    version: int
    """The current version of the status."""


@asynccontextmanager
async def agent(settings: Settings) -> AsyncIterator[FastAPI]:
    """The application; its convergence runs until the block is left."""
    metrics, background = Metrics(), Background()
    store = await asyncio.to_thread(Store, settings.store)
    rules = PendingRules(
        settings.base_model, settings.base_source, max_rank=settings.max_rank, hub_cache=settings.hub_cache
    )
    await rules.read(engine_runs=False)
    culprits = await asyncio.to_thread(Culprits, settings.store)
    fetcher = await asyncio.to_thread(Fetcher, settings.policy)
    artifacts = Artifacts(fetcher, store, rules, metrics, grace_s=settings.store_grace_s)
    async with connect(settings.engine_url, settings.engine_api_key.get_secret_value(), settings.base_model) as engine:
        memory = EngineMemory(settings.store)
        convergence = Convergence(engine, artifacts, rules, culprits, memory, metrics)
        async with background.running("converge", convergence.run()):

            async def alive() -> str:
                return background.fault

            async def ready() -> str:
                status = convergence.status.value
                return "" if status and status.ready else "the engine or a required adapter does not answer"

            yield application(
                "Quiver agent",
                [_routes(convergence), _engine_routes(convergence, engine)],
                tokens=Tokens(settings.token.get_secret_value()),
                metrics_tokens=optional(settings.metrics_token.get_secret_value()),
                probes=Probes(metrics.registry, ready, alive),
                public=frozenset({DRAINED, ENGINE}),
            )


def _routes(convergence: Convergence) -> APIRouter:
    routes = router()
    latest = convergence.status

    @routes.put("/v1/desired", status_code=202)
    async def desire(desired: DesiredSet) -> Accepted:
        """The complete set of versions to hold; answers at once."""
        convergence.desire(desired)
        return Accepted(version=latest.changes.number)

    @routes.patch("/v1/desired", status_code=202, responses=refusals(409))
    async def change(change: DesiredChange) -> Accepted:
        """A change of that set; answers at once."""
        if not convergence.change(change):
            raise ConflictError("this agent has another desired set; send the complete one")
        return Accepted(version=latest.changes.number)

    @routes.get("/v1/status", response_model_exclude_defaults=True)
    async def status(
        seen: Annotated[int, Query(description="The version of the status that the caller has seen.")] = -1,
        wait: Annotated[float, Query(ge=0, allow_inf_nan=False, description="Seconds to wait for another one.")] = 0,
        changes: Annotated[bool, Query(description="Only what changed after the version that was seen.")] = False,
    ) -> AgentStatus:
        """The progress of each version, as soon as the status differs from the caller's version."""
        await latest.changes.wait_beyond(seen, wait)
        status = latest.since(seen if changes else -1)
        if status is None:
            raise UnavailableError("nothing is known of the engine yet; send the desired set")
        return status

    return routes


def _engine_routes(convergence: Convergence, engine: Engine) -> APIRouter:
    """For hooks in the engine's own pod, without a token. A caller can delay only its own pod."""
    routes = APIRouter(responses=refusals(503))

    @routes.get(DRAINED, response_class=PlainTextResponse)
    async def drained() -> str:
        """Returns when the engine has no requests left: a stopping pod waits for this answer."""
        await asyncio.sleep(HEARD_S)
        idle = 0
        while idle < IDLE_LOOKS:
            await asyncio.sleep(LOOK_S)
            idle = 0 if await engine.busy() else idle + 1
        return "drained"

    @routes.get(ENGINE, response_class=PlainTextResponse)
    async def engine_check() -> str:
        """Fails if the engine's answers are wrong; its container then restarts, as after a failed health check."""
        status = convergence.status.value
        if status is not None and status.spoiled_by:
            raise UnavailableError(f"the base model answers differently since {status.spoiled_by} was loaded")
        return "ok"

    return routes
