"""The path of one request: caller → model → limits → evidence → engine → answer → accounting."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contract.search import Evidence, SearchResponse
from serving.gateway import answers, evidence, sse
from serving.gateway.abstention import Abstention
from serving.gateway.accounts import Accounts, RequestRecord
from serving.gateway.admission import LIMIT_HEADER, estimated_tokens
from serving.gateway.answers import PlainStream, RewrittenStream, Stream
from serving.gateway.body import parsed
from serving.gateway.catalog import Base, Catalog, Principal, Replica, Target
from serving.gateway.comparisons import Comparisons
from serving.gateway.engine import Answer, Engine, EngineError, EngineNeverBegan
from serving.gateway.engine_refusals import ContextTooLong, refusal
from serving.gateway.errors import ApiError, Unauthenticated, Unavailable, model_not_found, model_refused
from serving.gateway.grammars import Grammars
from serving.gateway.grounding import grounded
from serving.gateway.in_flight import InFlight
from serving.gateway.metrics import OTHER, Metrics
from serving.gateway.observations import Observations
from serving.gateway.quotas import Quotas
from serving.gateway.raw_request import EVENT_STREAM, JSON, CallerGone, RawRequest
from serving.gateway.requests import capabilities
from serving.gateway.retrieval_client import Retrieval, RetrievalError
from serving.gateway.schemas import AnyRequest, ChatRequest, engine_body, parse

logger = logging.getLogger(__name__)

# An engine takes about a minute to start, and its adapters a moment more.
RETRY_AFTER_S = 5
# How much longer one kind of objects may take to come here than another.
CATALOG_LAG_S = 0.5
ATTEMPTS = 2
# nginx's status for a caller leaving before its answer.
CALLER_GONE = 499

_DEFAULT_COMPLETION_TOKENS = 256


@dataclass(frozen=True)
class RequestContext:
    """One admitted request."""

    call: RequestRecord
    exchange: RawRequest
    request: AnyRequest
    target: Target
    base: Base

    def next_engine_id(self) -> str:
        """The next attempt's engine id; engines accept an id only once at a time."""
        self.call.attempts += 1
        return f"{self.exchange.request_id}-{self.exchange.unique_id[:8]}{self.call.attempts}"

    @property
    def legacy(self) -> bool:
        return isinstance(self.request, ChatRequest) and self.request.legacy


class Forwarder:
    def __init__(
        self,
        *,
        catalog: Callable[[], Catalog],
        engine: Engine,
        retrieval: Retrieval | None,
        metrics: Metrics,
        observations: Observations,
        comparisons: Comparisons,
        quotas: Quotas,
        max_body_bytes: int,
        body_timeout_s: float,
        first_token_timeout_s: float,
    ) -> None:
        self._catalog = catalog
        self._engine = engine
        self._retrieval = retrieval
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s
        self._first_token_timeout_s = first_token_timeout_s
        self._quotas = quotas
        self._grammars = Grammars()
        self.versions = InFlight()
        self._accounts = Accounts(metrics, comparisons, observations)
        self._replicas = InFlight()

    def principal(self, sent: Sequence[str]) -> Principal:
        """The caller, from the Authorization headers alone. Raises Unauthenticated."""
        if len(sent) > 1:
            raise Unauthenticated("More than one Authorization header was sent; send one.", code="invalid_api_key")
        scheme, _, key = "".join(sent).partition(" ")
        principal = self._catalog().authenticate(key, datetime.now(UTC)) if scheme.lower() == "bearer" else None
        if principal is None:
            raise Unauthenticated("Incorrect API key provided.", code="invalid_api_key")
        return principal

    async def serve(self, exchange: RawRequest, kind: type[AnyRequest]) -> None:
        call = RequestRecord(started=time.monotonic())
        try:
            await self._serve(call, exchange, kind)
        except CallerGone:
            exchange.status = CALLER_GONE
            self._metrics.aborted.labels(self._metrics.tenant(call.tenant)).inc()
        except ApiError as error:
            if LIMIT_HEADER not in exchange.headers:
                exchange.headers |= self.limits(call.tenant)
            await _send_error(exchange, error)
        finally:
            self._accounts.close(call, exchange.status or 500)  # nothing was said: our fault, the app tells of it

    async def _serve(self, call: RequestRecord, exchange: RawRequest, kind: type[AnyRequest]) -> None:
        """A request counts before its body is read: a refused body costs as much to read as another one."""
        catalog, principal = self._catalog(), self.principal(exchange.all_headers("authorization"))
        call.tenant = principal.tenant
        exchange.headers |= self._quotas.admit(catalog.tenants[call.tenant])
        try:
            raw = await exchange.body(self._max_body_bytes, self._body_timeout_s)
            request = await parsed(raw, lambda body: parse(body, kind))
            if self._catalog() is not catalog:  # a key may have been removed while the body was on its way
                principal = self.principal(exchange.all_headers("authorization"))
            await self._route(call, exchange, request, principal)
        except Unavailable:
            self._refund(call, exchange)
            raise
        except CallerGone:
            call.abandoned = True
            raise
        finally:
            self._settle(call)

    async def _route(
        self, call: RequestRecord, exchange: RawRequest, request: AnyRequest, principal: Principal
    ) -> None:
        # From here to the hold nothing waits: a version is either counted or was never chosen.
        target = self._resolve(principal, request.model, exchange.unique_id)
        call.model, call.target = target.name, target
        base = self._catalog().bases[target.base_model]
        capabilities.check(request, base)
        in_flight = self._metrics.in_flight.labels(self._metrics.tenant(call.tenant))
        with self.versions.hold(target.engine_name or ""), in_flight.track_inprogress():
            self._reserve(call, exchange, request, base)
            tokens_in_flight = self._metrics.tokens_in_flight.labels(target.base_model)
            tokens_in_flight.inc(call.reserved)
            try:
                await exchange.while_waited_for(self._answer(RequestContext(call, exchange, request, target, base)))
            finally:
                tokens_in_flight.dec(call.reserved)

    def limits(self, name: str) -> dict[str, str]:
        """The rate-limit headers of an answer refused before its tenant's limits are applied."""
        tenant = None if name == OTHER else self._catalog().tenants.get(name)
        return self._quotas.headers(tenant) if tenant else {}

    def _settle(self, call: RequestRecord) -> None:
        if call.refunded:
            return
        used = call.tokens.prompt + call.tokens.completion
        if not used and call.sent is not None and (call.streamed or call.abandoned):
            used = call.reserved  # a caller leaving before the engine's count pays the estimate
        self._quotas.settle(call.tenant, reserved=call.reserved, used=used)

    def _refund(self, call: RequestRecord, exchange: RawRequest) -> None:
        """Our own failures are charged to no limit, unless a part was answered."""
        if not exchange.started:
            call.refunded = True
            self._quotas.refund(call.tenant, reserved=call.reserved)
            exchange.headers |= self.limits(call.tenant)

    def _resolve(self, principal: Principal, model: str, request_id: str) -> Target:
        target = self._catalog().resolve(principal, model, request_id)
        if target is None:
            raise model_not_found(model)
        if target.refused:
            raise model_refused(model)
        if target.engine_name is None:
            raise _unavailable(f"The model `{model}` is not ready yet", "model_not_ready")
        return target

    def _reserve(self, call: RequestRecord, exchange: RawRequest, request: AnyRequest, base: Base) -> None:
        """Answers are at most as long as the model's context."""
        completion = min(request.completion_limit or _DEFAULT_COMPLETION_TOKENS, base.max_model_length)
        tokens = estimated_tokens(request.text_length) + completion * request.answers
        exchange.headers |= self._quotas.reserve(call.tenant, tokens)
        call.reserved = tokens

    # Evidence ------------------------------------------------------------------------------------------------

    async def _answer(self, job: RequestContext) -> None:
        await self._grammars.check(job.target.tenant, job.request.grammars)  # within the tenant's limits
        query = evidence.query(job.request, job.target, self._catalog().tenants.get(job.target.tenant))
        if query is None or not isinstance(job.request, ChatRequest):
            await self._forward(job, self._body(job), None)
            return
        hits = await self._search(job, query)
        if not hits.evidence and (job.request.forces_a_call or job.request.continues_a_call):
            await self._forward(job, self._body(job), None)  # a call is no answer, and its result is evidence enough
            return
        if not hits.evidence:
            await self._abstain(job, job.request)
            return
        await self._answer_from(job, evidence.fitting(hits.evidence, job.request, job.base))

    async def _answer_from(self, job: RequestContext, passages: Sequence[Evidence]) -> None:
        """Half of the passages go where the engine counts more tokens than its context has room for."""
        body = self._body(job)
        body["messages"] = grounded(body["messages"], [item.passage for item in passages])
        try:
            await self._forward(job, body, passages)
        except ContextTooLong:
            if len(passages) == 1:
                raise
            await self._answer_from(job, passages[: len(passages) // 2])

    def _body(self, job: RequestContext) -> dict[str, Any]:
        return engine_body(job.request, engine_name=job.target.engine_name or "", cache_salt=job.target.tenant)

    async def _search(self, job: RequestContext, query: evidence.Query) -> SearchResponse:
        """Raises Unavailable."""
        begun = time.monotonic()
        try:
            hits = await evidence.search(
                self._retrieval, query, tenant=job.target.tenant, request_id=job.exchange.request_id
            )
        except RetrievalError as error:
            job.call.retrieval = "error"
            logger.warning("request %s of tenant %s: search failed: %s",
                           job.exchange.request_id, job.call.tenant, error)  # fmt: skip
            raise _unavailable("Documents cannot be searched at the moment", "retrieval_unavailable") from error
        finally:
            job.call.retrieval_s = time.monotonic() - begun
        job.call.retrieval, job.call.embedding = hits.outcome.value, hits.embedding
        job.exchange.headers["x-quiver-retrieval"] = hits.outcome
        return hits

    async def _abstain(self, job: RequestContext, request: ChatRequest) -> None:
        """The decision not to answer, made before generation: the engine is not asked."""
        job.call.finish_reason, job.call.first_byte = "stop", time.monotonic()
        answer = Abstention(job.exchange.unique_id, int(time.time()), job.target.name)
        await job.exchange.respond(200, answer.body(request), EVENT_STREAM if request.stream else JSON)

    # The engine ----------------------------------------------------------------------------------------------

    async def _forward(self, job: RequestContext, body: dict[str, object], passages: Sequence[Evidence] | None) -> None:
        """Asks another engine once, and only where the first one never began to answer."""
        for replica in await self._chosen(job.target):
            with self._replicas.hold(replica.url):
                try:
                    await self._try(job, replica, body, passages)
                    return
                except EngineNeverBegan as error:
                    logger.warning("engine %s, request %s: %s", replica.url, job.exchange.request_id, error)
                except EngineError as error:
                    job.call.failed = True
                    logger.warning("engine %s, request %s: %s", replica.url, job.exchange.request_id, error)
                    raise _unavailable("The engine failed", "engine_failed") from error
        job.call.failed = True
        raise _unavailable(f"No engine can answer for `{job.target.name}` at the moment", "engine_unavailable")

    async def _chosen(self, target: Target) -> list[Replica]:
        """Objects are followed one kind beside another: where a version is may be known a moment after the version."""
        deadline = time.monotonic() + CATALOG_LAG_S
        while not (replicas := self._choose(target)) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return replicas

    def _choose(self, target: Target) -> list[Replica]:
        """Replicas with the version, the least busy first; a single one twice, because its connection may be stale."""
        idle_first = sorted(self._catalog().holders(target), key=lambda replica: self._replicas.count(replica.url))
        return (idle_first * ATTEMPTS)[:ATTEMPTS]

    async def _try(
        self, job: RequestContext, replica: Replica, body: dict[str, object], passages: Sequence[Evidence] | None
    ) -> None:
        job.call.sent = time.monotonic()
        begins_s = self._first_token_timeout_s if job.request.stream else None
        async with self._engine.post(
            replica.url, job.exchange.path, body, request_id=job.next_engine_id(), begins_s=begins_s
        ) as answer:
            if answer.status == 400:
                raise refusal(await answer.body(), field=job.request.field)
            if answer.status == 404:
                raise EngineNeverBegan("it does not hold the version: it may have been started anew")
            if answer.status != 200:
                raise EngineError(f"status {answer.status}")
            if job.request.stream:
                await self._relay(job, answer, passages)
            else:
                await self._respond(job, answer, passages)

    async def _respond(self, job: RequestContext, answer: Answer, passages: Sequence[Evidence] | None) -> None:
        raw = await answer.body()
        job.call.begin_answer()
        result = answers.whole(raw, name=job.target.name, evidence=passages, legacy=job.legacy)
        job.call.tokens, job.call.finish_reason, job.call.cited = result.tokens, result.finish_reason, result.cited
        self._accounts.count_removed(job.call, result.removed_marks)
        await job.exchange.respond(200, result.body, JSON)

    async def _relay(self, job: RequestContext, answer: Answer, passages: Sequence[Evidence] | None) -> None:
        stream = _stream(job, passages)
        job.call.tokens, job.call.streamed = stream.tokens, True
        async for block in sse.blocks(answer.chunks(self._first_token_timeout_s)):
            if sse.fails(block):
                raise EngineError("the engine failed after it had begun")
            if not job.exchange.started:
                job.call.begin_answer()
                await job.exchange.start(200, EVENT_STREAM)
            await job.exchange.write(stream.feed(block), more=True)
        if not stream.finished:
            raise EngineError("the stream ended before its end")
        await job.exchange.write(b"", more=False)
        job.call.finish_reason, job.call.cited = stream.finish_reason, stream.cited
        self._accounts.count_removed(job.call, stream.removed_marks)


def _stream(job: RequestContext, passages: Sequence[Evidence] | None) -> Stream:
    name, show_usage = job.target.name, job.request.show_usage
    if passages is not None or job.legacy:
        return RewrittenStream(passages, name=name, show_usage=show_usage, legacy=job.legacy)
    return PlainStream(engine_name=job.target.engine_name or "", name=name, show_usage=show_usage)


def _unavailable(problem: str, code: str) -> Unavailable:
    return Unavailable(f"{problem}; try again in {RETRY_AFTER_S} s.", code=code, retry_after_s=RETRY_AFTER_S)


async def _send_error(exchange: RawRequest, error: ApiError) -> None:
    """As a response if there is none yet, else as the stream's last event: never silence."""
    if not exchange.started:
        await exchange.fail(error)
        return
    await exchange.write(sse.event(error.body()), more=False)
