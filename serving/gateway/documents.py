"""Requests for files and vector stores: caller → limits → the ingest worker, or a search → accounting."""

import logging
import time
from collections.abc import Callable

from serving.gateway.authentication import DOCUMENTS, Authentication, permitted
from serving.gateway.body import parsed
from serving.gateway.catalog import Catalog, Principal
from serving.gateway.documents_client import Body, DocumentsClient, shown_headers
from serving.gateway.documents_routes import ROUTES, SEARCH, UPLOAD, route
from serving.gateway.errors import ApiError, MethodNotAllowed, NotFound, Unavailable
from serving.gateway.forwarding import CALLER_GONE
from serving.gateway.metrics import OTHER, Metrics
from serving.gateway.quotas import Quotas
from serving.gateway.raw_request import CallerGone, RawRequest
from serving.gateway.requests.vector_search import parse
from serving.gateway.vector_search import VectorSearch

MOST_DROPPED_BYTES = 128 * 1024 * 1024  # of a refused upload

logger = logging.getLogger(__name__)


class Documents:
    def __init__(
        self,
        catalog: Callable[[], Catalog],
        authentication: Authentication,
        client: DocumentsClient | None,
        search: VectorSearch,
        *,
        quotas: Quotas,
        metrics: Metrics,
        max_body_bytes: int,
        body_timeout_s: float,
    ) -> None:
        self._catalog, self._authentication, self._client, self._search = catalog, authentication, client, search
        self._quotas, self._metrics = quotas, metrics
        self._max_body_bytes, self._body_timeout_s = max_body_bytes, body_timeout_s

    async def serve(self, raw: RawRequest, method: str, query: str) -> None:
        tenant, begun, name = OTHER, time.monotonic(), route(raw.path)
        try:
            principal = self._authentication.principal(raw.all_headers("authorization"))
            tenant = principal.tenant
            await self._answer(raw, _allowed(name, raw.path, method), method, query, principal)
        except CallerGone:
            raw.status = CALLER_GONE
        except ApiError as error:
            if raw.started:
                raise
            await raw.fail(error)
        finally:
            status = str(raw.status or 500)
            logger.info("tenant=%s %s %s status=%s total_s=%.3f",
                        tenant, method, name, status, time.monotonic() - begun)  # fmt: skip
            self._metrics.documents.labels(self._metrics.tenant(tenant), f"{method} {name or OTHER}", status).inc()

    async def _answer(self, raw: RawRequest, name: str, method: str, query: str, principal: Principal) -> None:
        permitted(principal, self._search.scopes if name == SEARCH else DOCUMENTS)
        tenant = self._catalog().tenants[principal.tenant]
        # Clients look several times a second whether a document is ready; such a look costs nothing.
        raw.headers |= self._quotas.admit(tenant, counted=method != "GET")
        try:
            if name == SEARCH:
                await self._find(raw, tenant.name)
            else:
                await self._forward(raw, name, method, query, tenant.name)
        except Unavailable:
            self._quotas.refund(tenant.name, reserved=0, counted=method != "GET")
            raise
        except BaseException:
            self._quotas.settle(tenant.name, reserved=0, used=0)
            raise
        self._quotas.settle(tenant.name, reserved=0, used=0)

    async def _find(self, raw: RawRequest, tenant: str) -> None:
        request = await parsed(await raw.body(self._max_body_bytes, self._body_timeout_s), parse)
        store_id = raw.path.split("/")[3]
        page = self._search.page(tenant, store_id, request, raw.request_id)
        await raw.respond_json(await raw.run_until_caller_leaves(page))

    async def _forward(self, raw: RawRequest, name: str, method: str, query: str, tenant: str) -> None:
        if self._client is None:
            raise NotFound("This platform keeps no documents: retrieval is not installed.", code="no_documents")
        body, headers = await self._body(raw, name, method)
        try:
            async with self._client.request(method, tenant, raw.path, query, body, headers) as answer:
                await raw.start(answer.status, shown_headers(answer))
                async for piece in answer.content.iter_any():
                    await raw.write(piece, more=True)
                await raw.write(b"", more=False)
        except ApiError:
            if name == UPLOAD and method == "POST":
                await raw.drop_rest(MOST_DROPPED_BYTES, self._body_timeout_s)
            raise

    async def _body(self, raw: RawRequest, name: str, method: str) -> tuple[Body, dict[str, str]]:
        headers = {"x-request-id": raw.request_id}
        if method != "POST":
            return None, headers
        if name != UPLOAD:
            return await raw.body(self._max_body_bytes, self._body_timeout_s), headers
        passed = ("content-type", "content-length")
        headers |= {name: value for name in passed if (value := raw.header(name))}
        return raw.pieces(self._body_timeout_s), headers


def _allowed(name: str | None, path: str, method: str) -> str:
    """The route. Raises NotFound and MethodNotAllowed."""
    if name is None:
        raise NotFound(f"Unknown request URL: {method} {path[:200]}.", code="unknown_url")
    if method not in ROUTES[name]:
        raise MethodNotAllowed(path, [*ROUTES[name], "OPTIONS"])
    return name
