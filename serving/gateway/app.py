"""The gateway as an ASGI application: the table of routes and what lives as long as the process."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.routing import Router

from contract.names import EMBEDDER
from service.tokens import first
from serving.gateway import cors, engine, retrieval_client
from serving.gateway.catalog import Catalog
from serving.gateway.comparisons import Comparisons
from serving.gateway.discovery import Discovery, Source
from serving.gateway.embeddings import Embeddings
from serving.gateway.errors import ApiError, MethodNotAllowed, NotFound
from serving.gateway.exchange import CallerGone, Exchange, Receive, Scope, Send
from serving.gateway.forwarding import Forwarder
from serving.gateway.metrics import Metrics
from serving.gateway.observations import Observations
from serving.gateway.quotas import Quotas
from serving.gateway.routes import generation, health, internal, models
from serving.gateway.settings import Settings

logger = logging.getLogger(__name__)

# docs/decisions/0013-one-api-for-answers.md
_OTHER_APIS = ("/v1/responses", "/v1/messages", "/v1/assistants", "/v1/threads")
_CHAT_ALONE = "This API answers at POST /v1/chat/completions."

Handler = Callable[[Exchange], Awaitable[None]]


def create_app(settings: Settings) -> Router:
    """Starlette's router speaks the lifespan protocol; every request goes through a table of our own."""
    gateway = Gateway(settings)
    return Router(default=gateway.dispatch, lifespan=gateway.lifespan)


class Gateway:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = Metrics()
        self._comparisons = Comparisons()
        self._discovery = self._discover(settings)
        self._public: dict[str, dict[str, Handler]] = {}
        self._internal: dict[str, dict[str, Handler]] = {}

    def _discover(self, settings: Settings) -> Source:
        if settings.snapshot:
            return Discovery(settings.snapshot, self._on_catalog)
        from serving.gateway.cluster import ClusterDiscovery  # its client takes a second to import, which only pods pay

        return ClusterDiscovery(settings.kubeconfig, self._on_catalog)

    def _on_catalog(self, catalog: Catalog) -> None:
        models = {name: frozenset({*tenant.targets, EMBEDDER}) for name, tenant in catalog.tenants.items()}
        self._metrics.register(models, catalog.bases)
        self._metrics.generation.set(catalog.generation)
        self._comparisons.follow(catalog.on_trial)

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[None]:
        settings = self._settings
        async with AsyncExitStack() as stack:
            engines = await stack.enter_async_context(
                engine.connect(
                    [key.get_secret_value() for key in (settings.engine_api_key, settings.engine_api_key_old)],
                    settings.request_timeout_s,
                )
            )
            retrieval = await self._retrieval(stack)
            observations, quotas = Observations(self._metrics), Quotas(time.monotonic, self._metrics.count_throttled)
            forwarder = Forwarder(
                catalog=lambda: self._discovery.catalog,
                engine=engines,
                retrieval=retrieval,
                metrics=self._metrics,
                observations=observations,
                comparisons=self._comparisons,
                quotas=quotas,
                max_body_bytes=settings.max_body_bytes,
                body_timeout_s=settings.body_timeout_s,
                first_token_timeout_s=settings.first_token_timeout_s,
            )
            embeddings = Embeddings(
                catalog=lambda: self._discovery.catalog,
                forwarder=forwarder,
                retrieval=retrieval,
                quotas=quotas,
                metrics=self._metrics,
                max_body_bytes=settings.max_body_bytes,
                body_timeout_s=settings.body_timeout_s,
            )
            self._lay_routes(forwarder, embeddings)
            tasks = await stack.enter_async_context(_background())
            tasks(self._discovery.run())
            if settings.drift_url:
                tasks(observations.send_to(settings.drift_url, first(settings.drift_token.get_secret_value())))
            yield

    async def _retrieval(self, stack: AsyncExitStack) -> retrieval_client.Retrieval | None:
        settings = self._settings
        if settings.retrieval_url is None:
            return None
        token = first(settings.retrieval_token.get_secret_value())
        return await stack.enter_async_context(
            retrieval_client.connect(settings.retrieval_url, token, settings.retrieval_timeout_s)
        )

    def _lay_routes(self, forwarder: Forwarder, embeddings: Embeddings) -> None:
        probes: dict[str, dict[str, Handler]] = {
            "/healthz": {"GET": health.alive},
            "/readyz": {"GET": health.ready(self._discovery)},
        }
        embedder = EMBEDDER if self._settings.retrieval_url else None
        self._public = probes | {
            "/": {"GET": health.about},
            "/v1": {"GET": health.about},
            "/docs": {"GET": health.page},
            "/openapi.json": {"GET": health.document},
            "/v1/models": {"GET": models.listing(forwarder, self._discovery, embedder=embedder)},
            models.ONE: {"GET": models.one(forwarder, self._discovery, embedder=embedder)},
            "/v1/chat/completions": {"POST": generation.chat(forwarder)},
            "/v1/completions": {"POST": generation.completion(forwarder)},
            "/v1/embeddings": {"POST": embeddings.serve},
        }
        token = self._settings.internal_token.get_secret_value()
        self._internal = probes | {
            "/metrics": {"GET": internal.metrics(self._metrics, self._settings.metrics_token.get_secret_value())},
            "/v1/state": {"GET": internal.state(forwarder, self._discovery, self._comparisons, token)},
        }

    async def dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        exchange.headers |= cors.headers(exchange.header("origin"), self._settings.cors_origins)
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
        table = self._internal if scope["server"][1] == self._settings.internal_port else self._public
        path, method = scope["path"], scope["method"]
        methods = table.get(path) or table.get(_pattern(path))
        if methods is None:
            hint = f" {_CHAT_ALONE}" if path.startswith(_OTHER_APIS) else ""
            raise NotFound(f"Unknown request URL: {method} {path}.{hint}", code="unknown_url")
        handler = methods.get("GET" if method == "HEAD" else method)
        if handler is None and method == "OPTIONS":
            return options(_methods(methods))
        if handler is None:
            raise MethodNotAllowed(path, _methods(methods))
        return handler


def _pattern(path: str) -> str:
    """The route of a path that ends with a name, which may have slashes."""
    return models.ONE if path.startswith(models.PREFIX) else path


def _methods(handlers: Iterable[str]) -> list[str]:
    return [*handlers, *(["HEAD"] if "GET" in handlers else []), "OPTIONS"]


def options(methods: Sequence[str]) -> Handler:
    """What the path answers, and what a browser may send to it."""

    async def handler(exchange: Exchange) -> None:
        headers = {"allow": ", ".join(methods)}
        if "access-control-allow-origin" in exchange.headers:
            headers |= cors.preflight(exchange.header("access-control-request-headers"), methods)
        await exchange.respond(204, b"", headers)

    return handler


@asynccontextmanager
async def _background() -> AsyncIterator[Callable[[Any], None]]:
    """Tasks that live as long as the context. One that fails is logged and stops nothing else."""
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
