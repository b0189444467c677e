"""The path of an embeddings request: caller → limits → the platform's embedder → accounting."""

import base64
import logging
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from contract.names import EMBEDDER
from contract.search import EmbedResponse
from serving.gateway.admission import estimated_tokens
from serving.gateway.authentication import INFERENCE, Authentication, permitted
from serving.gateway.body import parsed
from serving.gateway.catalog import Catalog, Principal
from serving.gateway.errors import ApiError, InvalidRequest, NotFound, Unavailable, model_not_found, unavailable
from serving.gateway.forwarding import CALLER_GONE
from serving.gateway.metrics import OTHER, Metrics
from serving.gateway.outcome import Facts, outcome_of
from serving.gateway.quotas import Quotas
from serving.gateway.raw_request import CallerGone, RawRequest
from serving.gateway.requests.embeddings import EmbeddingRequest, parse
from serving.gateway.retrieval_client import Retrieval, RetrievalError, TextTooLong

logger = logging.getLogger(__name__)


class Embeddings:
    def __init__(
        self,
        catalog: Callable[[], Catalog],
        authentication: Authentication,
        retrieval: Retrieval | None,
        *,
        quotas: Quotas,
        metrics: Metrics,
        max_body_bytes: int,
        body_timeout_s: float,
    ) -> None:
        self._catalog = catalog
        self._authentication = authentication
        self._retrieval = retrieval
        self._quotas = quotas
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s

    async def serve(self, exchange: RawRequest) -> None:
        tenant, begun = OTHER, time.monotonic()
        try:
            principal = self._authentication.principal(exchange.all_headers("authorization"))
            tenant = principal.tenant
            permitted(principal, INFERENCE)
            await self._answer(exchange, principal)
        except CallerGone:
            exchange.status = CALLER_GONE
        except ApiError as error:
            await exchange.fail(error)
        finally:
            logger.info("tenant=%s model=%s status=%d total_s=%.3f",
                        tenant, EMBEDDER, exchange.status or 500, time.monotonic() - begun)  # fmt: skip
            status = exchange.status or 500
            outcome = outcome_of(status, Facts(caller_left=status == CALLER_GONE))
            self._metrics.count(*self._metrics.names(tenant, EMBEDDER), status, outcome)

    async def _answer(self, exchange: RawRequest, principal: Principal) -> None:
        tenant = self._catalog().tenants[principal.tenant]
        exchange.headers |= self._quotas.admit(tenant)
        reserved = 0
        charge = partial(self._quotas.settle, used=0)
        try:
            request = await parsed(await exchange.body(self._max_body_bytes, self._body_timeout_s), parse)
            _check(request, principal)
            tokens = estimated_tokens(sum(map(len, request.texts)))
            exchange.headers |= self._quotas.reserve(tenant.name, tokens)
            reserved = tokens
            embedded = await exchange.run_until_caller_leaves(self._embedded(exchange, request))
            charge = partial(self._quotas.settle, used=embedded.tokens)
            _check_size(request, embedded)
        except CallerGone:
            charge = partial(self._quotas.settle, used=reserved)  # a caller that leaves is charged the estimate
            raise
        except Unavailable:
            charge = partial(self._quotas.refund)
            raise
        finally:
            charge(tenant.name, reserved=reserved)
        self._metrics.tokens.labels(*self._metrics.names(tenant.name, EMBEDDER), "prompt").inc(embedded.tokens)
        await exchange.respond_json(_body(request, embedded))

    async def _embedded(self, exchange: RawRequest, request: EmbeddingRequest) -> EmbedResponse:
        if self._retrieval is None:
            raise NotFound("This platform has no embedder: retrieval is not installed.", code="no_embedder")
        try:
            return await self._retrieval.embed(request.texts, request_id=exchange.request_id)
        except TextTooLong as error:
            message = str(error).replace("texts", "input")
            raise InvalidRequest(message, code="context_length_exceeded", param="input") from error
        except RetrievalError as error:
            raise unavailable("Texts cannot be embedded at the moment", "embedder_unavailable") from error


def _check(request: EmbeddingRequest, principal: Principal) -> None:
    """Raises NotFound and InvalidRequest."""
    if request.model != EMBEDDER or not principal.may_use(EMBEDDER):
        raise model_not_found(request.model)


def _check_size(request: EmbeddingRequest, embedded: EmbedResponse) -> None:
    """Raises InvalidRequest if the caller asked for vectors of another size."""
    size = len(base64.b64decode(embedded.embeddings[0])) // 4
    if request.dimensions not in (None, size):
        raise InvalidRequest(f"`{EMBEDDER}` has vectors of {size} numbers.", code="invalid_value", param="dimensions")


def _body(request: EmbeddingRequest, embedded: EmbedResponse) -> dict[str, Any]:
    shown = embedded.embeddings if request.encoding_format == "base64" else map(_numbers, embedded.embeddings)
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(shown)]
    usage = {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens}
    return {"object": "list", "data": data, "model": EMBEDDER, "usage": usage}


def _numbers(vector: str) -> list[float]:
    raw = base64.b64decode(vector)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))
