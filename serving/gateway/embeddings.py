"""The way of one request for embeddings: who → what → may → the platform's embedder → account."""

import base64
import struct
from collections.abc import Callable
from typing import Any

from serving.gateway.catalog import Catalog
from serving.gateway.errors import InvalidRequest, NotFound, Unavailable, model_not_found
from serving.gateway.exchange import Exchange
from serving.gateway.forwarding import RETRY_AFTER_S, Forwarder
from serving.gateway.metrics import Metrics
from serving.gateway.quotas import Quotas
from serving.gateway.requests.embeddings import EmbeddingRequest, parse
from serving.gateway.retrieval_client import Embedded, Retrieval, RetrievalError

# What the platform's embedder is called in `model`, and the length of its vectors.
NAME = "all-minilm-l6-v2"
DIMENSIONS = 384

_CHARACTERS_PER_TOKEN = 4


class Embeddings:
    def __init__(
        self,
        *,
        catalog: Callable[[], Catalog],
        forwarder: Forwarder,
        retrieval: Retrieval | None,
        quotas: Quotas,
        metrics: Metrics,
        max_body_bytes: int,
    ) -> None:
        self._catalog = catalog
        self._forwarder = forwarder
        self._retrieval = retrieval
        self._quotas = quotas
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    async def serve(self, exchange: Exchange) -> None:
        principal = self._forwarder.principal(exchange)
        tenant = self._catalog().tenants[principal.tenant]
        exchange.headers |= self._quotas.headers(tenant)
        request = parse(await exchange.json(self._max_body_bytes))
        if request.model != NAME or not principal.may_use(NAME):
            raise model_not_found(request.model)
        if request.dimensions not in (None, DIMENSIONS):
            raise InvalidRequest(
                f"`{NAME}` has vectors of {DIMENSIONS} numbers.", code="invalid_value", param="dimensions"
            )
        reserved = sum(map(len, request.texts)) // _CHARACTERS_PER_TOKEN
        exchange.headers |= self._quotas.reserve(tenant, reserved)
        try:
            found = await self._embedded(exchange, request)
        except BaseException:
            self._quotas.refund(tenant.name, reserved=reserved)
            raise
        self._quotas.settle(tenant.name, reserved=reserved, used=found.tokens)
        labels = self._metrics.names(tenant.name, NAME)
        self._metrics.requests.labels(*labels, "200").inc()
        self._metrics.tokens.labels(*labels, "prompt").inc(found.tokens)
        await exchange.respond_json(_body(request, found))

    async def _embedded(self, exchange: Exchange, request: EmbeddingRequest) -> Embedded:
        if self._retrieval is None:
            raise NotFound("This platform has no embedder: retrieval is not installed.", code="no_embedder")
        try:
            return await self._retrieval.embed(request.texts, request_id=exchange.request_id)
        except RetrievalError as error:
            raise Unavailable(f"Texts cannot be embedded at the moment; try again in {RETRY_AFTER_S} s.",
                              code="embedder_unavailable", retry_after_s=RETRY_AFTER_S) from error  # fmt: skip


def _body(request: EmbeddingRequest, found: Embedded) -> dict[str, Any]:
    shown = found.vectors if request.encoding_format == "base64" else map(_numbers, found.vectors)
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(shown)]
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return {"object": "list", "data": data, "model": NAME, "usage": usage}


def _numbers(vector: str) -> list[float]:
    raw = base64.b64decode(vector)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))
