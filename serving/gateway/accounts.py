"""The record of one request, and its accounting at the request's end: metrics, comparisons, observations."""

import logging
import time
from dataclasses import dataclass, field

from contract.drift import Observation, Retrieval
from contract.search import SearchResponse
from serving.gateway.answers import Tokens
from serving.gateway.catalog import Target
from serving.gateway.comparisons import Comparisons, Result
from serving.gateway.metrics import OTHER, Metrics
from serving.gateway.observations import Observations
from serving.gateway.outcome import Facts, RequestOutcome, outcome_of

logger = logging.getLogger(__name__)


@dataclass
class RequestRecord:
    """The record of one running request. Times are of the monotonic clock, in seconds."""

    started: float
    tenant: str = OTHER
    model: str = OTHER
    reserved: int = 0
    retrieval: Retrieval = "none"
    retrieval_s: float = 0.0
    engine_s: float = 0.0
    sent: float | None = None
    first_byte: float | None = None
    answered: float | None = None
    """When the engine's last bytes came, before the caller read them."""
    tokens: Tokens = field(default_factory=Tokens)
    begins_conversation: bool = False
    search: SearchResponse | None = None
    finish_reason: str | None = None
    streamed: bool = False
    asked_stream: bool = False
    target: Target | None = None
    cited: bool | None = None
    failed: bool = False
    no_engine: bool = False
    not_ready: bool = False
    abstained: bool = False
    refunded: bool = False
    attempts: int = 0
    abandoned: bool = False
    caller_left: bool = False

    def begin_answer(self) -> None:
        """Records that the first byte of the answer arrived."""
        self.first_byte = time.monotonic()
        self.engine_s = self.first_byte - (self.sent or self.first_byte)


class Accounts:
    def __init__(self, metrics: Metrics, comparisons: Comparisons, observations: Observations | None) -> None:
        """Without `observations`, there is no detector of drift."""
        self._metrics = metrics
        self._comparisons = comparisons
        self._observations = observations

    def count_removed(self, record: RequestRecord, removed: int) -> None:
        if removed:
            self._metrics.invalid_citations.labels(self._metrics.tenant(record.tenant)).inc(removed)

    def close(self, record: RequestRecord, status: int) -> None:
        now = time.monotonic()
        first = "-" if record.first_byte is None else f"{record.first_byte - record.started:.3f}"
        logger.info("tenant=%s model=%s status=%d first_byte_s=%s total_s=%.3f",
                    record.tenant, record.model, status, first, now - record.started)  # fmt: skip
        self._compare(record)
        metrics, tenant, model = self._metrics, *self._metrics.names(record.tenant, record.model)
        facts = Facts(record.failed, record.no_engine, record.not_ready, record.caller_left, record.abstained)
        outcome = outcome_of(status, facts)
        metrics.count(tenant, model, status, outcome)
        is_answered = outcome in (RequestOutcome.OK, RequestOutcome.ABSTAINED)
        if is_answered:
            labels = (*metrics.timed(tenant, model), str(record.streamed).lower())
            metrics.duration.labels(*labels).observe(now - record.started)
        if record.retrieval != "none":
            metrics.retrievals.labels(tenant, record.retrieval).inc()
            metrics.retrieval.labels(metrics.timed(tenant, model)[0]).observe(record.retrieval_s)
        if record.first_byte is None:
            if record.asked_stream and record.sent is not None:
                metrics.give_up_first_token(tenant, model, now - record.started)
            return
        metrics.tokens.labels(tenant, model, "prompt").inc(record.tokens.prompt)
        metrics.tokens.labels(tenant, model, "completion").inc(record.tokens.completion)
        self._observe_times(record, tenant, model, now)
        if is_answered and record.begins_conversation:
            self.observe(record, now)

    def observe(self, record: RequestRecord, now: float) -> None:
        """Drift is of what a name answers: not of a version that was asked for, and not of a canary."""
        target = record.target
        if self._observations and target and not target.version and not target.is_canary:
            self._observations.add(_observation(record, target, now))

    def _compare(self, record: RequestRecord) -> None:
        """Counts a request for its version only if an engine answered or failed."""
        if record.target and (record.failed or record.finish_reason) and record.sent is not None:
            first = None if record.first_byte is None else record.first_byte - record.sent
            stopped = record.finish_reason == "stop"
            result = Result(record.failed, record.cited, stopped, first, record.tokens.completion)
            self._comparisons.add(record.target, result)

    def _observe_times(self, record: RequestRecord, tenant: str, model: str, now: float) -> None:
        """Only a stream has a first token: a whole answer's first byte is its last one, too."""
        first = record.first_byte or now
        if record.streamed:
            self._metrics.observe_first_token(tenant, model, first - record.started)
        tenant, model = self._metrics.timed(tenant, model)
        self._metrics.overhead.labels(tenant).observe(first - record.started - record.retrieval_s - record.engine_s)
        if record.sent is not None:
            self._metrics.queue.labels(tenant).observe(record.sent - record.started - record.retrieval_s)
        if record.streamed and record.tokens.completion > 1:
            self._metrics.output_token.labels(tenant).observe((now - first) / (record.tokens.completion - 1))


def _observation(record: RequestRecord, target: Target, now: float) -> Observation:
    # A search by words alone has another relevance, for no reason of the tenant's.
    search = record.search if record.search and record.search.embedded else None
    return Observation(
        tenant=record.tenant,
        model=record.model,
        version="" if record.sent is None else target.engine_name or "",
        embedder=search.embedder if search else "",
        embedding=search.embedding if search else None,
        retrieval=record.retrieval,
        relevance=search.best if search else None,
        abstained=record.abstained,
        cited=record.cited,
        finish_reason=record.finish_reason,
        completion_tokens=record.tokens.completion,
        answer_s=None if record.sent is None else (record.answered or now) - record.sent,
    )
