"""The gateway as an ASGI application: routing, and the lifetime of its parts."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import Router

from contract.names import EMBEDDER
from service.access import request_id
from service.application import application
from service.delegation import Delegations
from service.probes import Probes
from service.tokens import Tokens, first, optional
from serving.gateway import cors, documents_client, engine, retrieval_client, trace_context
from serving.gateway.accounts import Accounts
from serving.gateway.answering import Answering
from serving.gateway.authentication import Authentication
from serving.gateway.catalog import Catalog
from serving.gateway.comparisons import Comparisons
from serving.gateway.conversation import examples
from serving.gateway.discovery import Discovery, Source
from serving.gateway.documents import Documents
from serving.gateway.documents_routes import ROUTES, is_documents_path, route
from serving.gateway.embeddings import Embeddings
from serving.gateway.errors import ApiError, MethodNotAllowed, NotFound
from serving.gateway.forwarding import Forwarder
from serving.gateway.held_requests import HeldRequests
from serving.gateway.key_uses import KeyUses
from serving.gateway.metrics import Metrics
from serving.gateway.observations import Observations
from serving.gateway.public import METHODS, answers, public_api
from serving.gateway.quotas import Quotas
from serving.gateway.raw_request import CallerGone, Message, RawRequest, Receive, Scope, Send
from serving.gateway.routes import internal
from serving.gateway.schemas import ChatRequest, CompletionRequest
from serving.gateway.settings import Settings
from serving.gateway.upstream import Upstream
from serving.gateway.vector_search import VectorSearch

logger = logging.getLogger(__name__)

POSTED = ("POST", "OPTIONS")

Handler = Callable[[RawRequest], Awaitable[None]]


def create_app(settings: Settings) -> Router:
    """Starlette's router handles the lifespan protocol; the gateway handles all requests."""

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[dict[str, Gateway]]:
        async with running(settings) as gateway:
            yield {"gateway": gateway}

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await scope["state"]["gateway"].answer(scope, receive, send)

    return Router(default=dispatch, lifespan=lifespan)


class Gateway:
    """Routes requests for answers and embeddings by its own table, because FastAPI's routing takes ten times as long,
    and passes on those for documents. All other requests go to FastAPI."""

    def __init__(
        self,
        settings: Settings,
        generation: Mapping[str, Handler],
        documents: Documents,
        public: FastAPI,
        internal: FastAPI,
    ) -> None:
        self._cors_origins = settings.cors_origins
        self._internal_port = settings.internal_port
        self._generation = generation
        self._documents = documents
        self._public = public
        self._internal = internal

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["server"][1] == self._internal_port:
            await self._internal(scope, receive, send)
            return
        is_own = scope["path"] in self._generation or is_documents_path(scope["path"])
        if not is_own and scope["method"] != "OPTIONS":
            await self._public(scope, receive, self._with_cors(scope, send))
            return
        exchange = RawRequest(scope, receive, send)
        request_id.set(exchange.request_id)  # for all later log lines: every request has its own task
        trace_context.passed_on.set(
            trace_context.headers_of(exchange.header("traceparent"), exchange.header("tracestate"))
        )
        exchange.headers |= cors.headers(exchange.header("origin"), self._cors_origins)
        await self._serve(scope, exchange)

    def _with_cors(self, scope: Scope, send: Send) -> Send:
        origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), "")
        more = cors.headers(origin, self._cors_origins)
        if not more:
            return send
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in more.items()]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *pairs]
            await send(message)

        return sending

    async def _serve(self, scope: Scope, exchange: RawRequest) -> None:
        try:
            await self._handler(scope)(exchange)
        except ApiError as error:
            await exchange.fail(error)
        except CallerGone:
            pass
        except Exception:
            logger.exception("request %s failed", exchange.request_id)
            if exchange.started:
                raise
            await exchange.fail(ApiError("The server had an error; quote the x-request-id header when you report it."))

    def _handler(self, scope: Scope) -> Handler:
        """Raises MethodNotAllowed and NotFound."""
        path, method = scope["path"], scope["method"]
        if method == "OPTIONS":
            return options(self._methods(scope))
        if is_documents_path(path):
            query = scope["query_string"].decode("latin-1")
            return partial(self._documents.serve, method="GET" if method == "HEAD" else method, query=query)
        if method != "POST":
            raise MethodNotAllowed(path, POSTED)
        return self._generation[path]

    def _methods(self, scope: Scope) -> Sequence[str]:
        """The methods of a path. Raises NotFound."""
        if scope["path"] in self._generation:
            return POSTED
        if name := route(scope["path"]):
            return [*ROUTES[name], "OPTIONS"]
        if not answers(self._public, scope):
            raise NotFound(f"Unknown request URL: OPTIONS {scope['path']}.", code="unknown_url")
        return METHODS


def options(methods: Sequence[str]) -> Handler:
    """Answers with the allowed methods and, for browsers, the CORS permissions."""

    async def handler(exchange: RawRequest) -> None:
        headers = {"allow": ", ".join(methods)}
        if "access-control-allow-origin" in exchange.headers:
            headers |= cors.preflight(exchange.header("access-control-request-headers"), methods)
        await exchange.respond(204, b"", headers)

    return handler


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Gateway]:
    """The gateway and its background tasks, until the block is left."""
    metrics, comparisons, uses = Metrics(), Comparisons(), KeyUses()
    discovery = _discovery(settings, partial(_take_up, metrics, comparisons, uses))

    def catalog() -> Catalog:
        return discovery.catalog

    async with AsyncExitStack() as stack:
        engine_keys = [key.get_secret_value() for key in (settings.engine_api_key, settings.engine_api_key_old)]
        engines = await stack.enter_async_context(engine.connect(engine_keys, settings.request_timeout_s))
        retrieval = await _retrieval(settings, stack)
        observations = Observations(metrics) if settings.drift_url else None
        quotas = Quotas(time.monotonic, metrics.count_throttled)
        accounts = Accounts(metrics, comparisons, observations)
        authentication = Authentication(catalog, uses, _delegations(settings))
        held = HeldRequests(settings.max_held_requests, metrics.held)
        upstream = Upstream(catalog, engines, accounts, held, first_token_timeout_s=settings.first_token_timeout_s)
        forwarder = Forwarder(
            catalog, authentication, Answering(catalog, upstream, retrieval),
            accounts=accounts, metrics=metrics, quotas=quotas, max_body_bytes=settings.max_body_bytes,
            body_timeout_s=settings.body_timeout_s,
        )  # fmt: skip
        embeddings = Embeddings(
            catalog, authentication, retrieval, quotas=quotas, metrics=metrics,
            max_body_bytes=settings.max_body_bytes, body_timeout_s=settings.body_timeout_s,
        )  # fmt: skip
        documents = Documents(
            catalog, authentication, await _documents(settings, stack), VectorSearch(retrieval),
            quotas=quotas, metrics=metrics, max_body_bytes=settings.max_body_bytes,
            body_timeout_s=settings.body_timeout_s,
        )  # fmt: skip
        start = await stack.enter_async_context(_background())
        start(discovery.run())
        if observations and settings.drift_url:
            start(observations.send_to(settings.drift_url, first(settings.drift_token.get_secret_value())))
        generation: dict[str, Handler] = {
            "/v1/chat/completions": partial(forwarder.serve, kind=ChatRequest),
            "/v1/completions": partial(forwarder.serve, kind=CompletionRequest),
            "/v1/embeddings": embeddings.serve,
        }
        public = public_api(forwarder, authentication, discovery, embedder=EMBEDDER if settings.retrieval_url else None)
        routes = internal.routes(forwarder, discovery, comparisons, uses)
        yield Gateway(settings, generation, documents, public, _internal(settings, metrics, discovery, routes))


def _take_up(metrics: Metrics, comparisons: Comparisons, uses: KeyUses, catalog: Catalog) -> None:
    models = {name: frozenset({*tenant.targets, EMBEDDER}) for name, tenant in catalog.tenants.items()}
    metrics.register(models, catalog.bases, {name: tenant.slo for name, tenant in catalog.tenants.items()})
    metrics.generation.set(catalog.generation)
    comparisons.follow(catalog.canaries)
    uses.keep(catalog.principals)


def _discovery(settings: Settings, on_catalog: Callable[[Catalog], None]) -> Source:
    if settings.snapshot:
        return Discovery(settings.snapshot, on_catalog)
    from serving.gateway.cluster import ClusterDiscovery  # late: only pods need it, and its import takes 1 s

    return ClusterDiscovery(settings.kubeconfig, on_catalog)


def _delegations(settings: Settings) -> Delegations | None:
    secret = settings.management_secret.get_secret_value()
    return Delegations(secret) if secret else None


async def _retrieval(settings: Settings, stack: AsyncExitStack) -> retrieval_client.Retrieval | None:
    if settings.retrieval_url is None:
        return None
    await asyncio.to_thread(examples.load)
    token = first(settings.retrieval_token.get_secret_value())
    return await stack.enter_async_context(
        retrieval_client.connect(settings.retrieval_url, token, settings.retrieval_timeout_s)
    )


async def _documents(settings: Settings, stack: AsyncExitStack) -> documents_client.DocumentsClient | None:
    if settings.documents_url is None:
        return None
    token = first(settings.documents_token.get_secret_value())
    return await stack.enter_async_context(
        documents_client.connect(settings.documents_url, token, settings.request_timeout_s)
    )


def _internal(settings: Settings, metrics: Metrics, discovery: Source, routes: APIRouter) -> FastAPI:
    async def ready() -> str:
        return "" if discovery.synced else "no snapshot of the objects yet"

    return application(
        "Quiver gateway",
        [routes],
        tokens=Tokens(settings.internal_token.get_secret_value()),
        metrics_tokens=optional(settings.metrics_token.get_secret_value()),
        probes=Probes(metrics.registry, ready),
    )


@asynccontextmanager
async def _background() -> AsyncIterator[Callable[[Any], None]]:
    """Runs tasks until the context is left. A failed task is logged and stops nothing else."""
    tasks: list[asyncio.Task[None]] = []

    def start(work: Any) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(_log_failure)
        tasks.append(task)

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception():
        logger.error("a background task ended", exc_info=task.exception())
