"""The management API as an application: its parts, and their lifetime."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from operators.management import gateway
from operators.management.attempts import Attempts
from operators.management.callers import Callers
from operators.management.changes import Changes
from operators.management.gateway import PREFIXES
from operators.management.local_place import LocalPlace
from operators.management.oidc import Claims, connected
from operators.management.place import Place
from operators.management.ratings import Ratings
from operators.management.records import Records
from operators.management.routes.forwarded import forwarded_routes
from operators.management.routes.jobs import job_routes
from operators.management.routes.keys import key_routes
from operators.management.routes.objects import object_routes
from operators.management.routes.platform import platform_routes
from operators.management.routes.ratings import rating_routes
from operators.management.routes.releases import release_routes
from operators.management.routes.sessions import session_routes
from operators.management.service import Management
from operators.management.sessions import Sessions
from operators.settings import ManagementSettings
from service.application import application
from service.background import Background
from service.delegation import Delegations
from service.errors import ServiceError, UnavailableError
from service.probes import Probes
from service.request_metrics import RequestMetrics
from service.tokens import optional

TIDY_S = 30.0


def create_app(settings: ManagementSettings) -> FastAPI:
    records = Records(settings.database)
    registry, background = CollectorRegistry(), Background()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(records.close)
            app.state.management = await _management(settings, records, stack)
            async with background.running("tidy", _tidy(app.state.management)):
                yield

    async def ready() -> str:
        management: Management = app.state.management
        try:
            await records.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
        except UnavailableError as error:
            return str(error)
        return background.fault or await management.place.fault()

    routers = [
        session_routes(),
        platform_routes(),
        object_routes(),
        job_routes(),
        release_routes(),
        key_routes(),
        rating_routes(),
        forwarded_routes(),
    ]
    app = application(
        "Quiver management",
        routers,
        tokens=None,  # each route identifies its caller
        metrics_tokens=optional(settings.metrics_token.get_secret_value()),
        probes=Probes(registry, ready),
        lifespan=lifespan,
        streamed=PREFIXES,
        metrics=RequestMetrics("management", registry),
    )
    return app


async def _tidy(management: Management) -> None:
    """Deletes the golden sets of deleted tenants, and old records, until cancelled."""
    while True:
        await asyncio.sleep(TIDY_S)
        with contextlib.suppress(ServiceError):
            await management.changes.drop_old()
            if not await management.place.fault():
                await _forget_tenants(management)


async def _forget_tenants(management: Management) -> None:
    """An unreadable object may be a tenant, so nothing is deleted then."""
    snapshot = await management.place.snapshot()
    if management.place.is_complete:
        await management.ratings.keep_only(frozenset(tenant.name for tenant in snapshot.objects.tenants))


async def _management(settings: ManagementSettings, records: Records, stack: AsyncExitStack) -> Management:
    place = await _place(settings, stack)
    claims = Claims(settings.oidc_tenant_claim, settings.oidc_role_claim, settings.oidc_groups_claim)
    id_tokens = await stack.enter_async_context(connected(settings.oidc_issuer, settings.oidc_client_id, claims))
    sessions, attempts = Sessions(records), Attempts(records)
    callers = Callers(
        place,
        sessions,
        attempts,
        platform=optional(settings.platform_key.get_secret_value()),
        console=optional(settings.console_token.get_secret_value()),
        id_tokens=id_tokens,
    )
    delegations = Delegations(settings.secret.get_secret_value())
    url = settings.gateway_url
    passing = await stack.enter_async_context(gateway.connect(url, delegations)) if url else None
    return Management(place, callers, sessions, Changes(records), Ratings(records), passing)


async def _place(settings: ManagementSettings, stack: AsyncExitStack) -> Place:
    if settings.directory:
        return LocalPlace(settings.directory)
    from operators.management.cluster_place import followed  # late: only pods need it, and its import takes 1 s

    return await stack.enter_async_context(followed(settings.kubeconfig))
