"""The record of one request, and its accounting at the request's end: metrics, comparisons, observations."""

import logging
import time
from dataclasses import dataclass, field

from contract.drift import Observation, Retrieval
from serving.gateway.answers import Tokens
from serving.gateway.catalog import Target
from serving.gateway.comparisons import Comparisons, Outcome
from serving.gateway.metrics import OTHER, Metrics
from serving.gateway.observations import Observations

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
    tokens: Tokens = field(default_factory=Tokens)
    embedding: str | None = None
    finish_reason: str | None = None
    streamed: bool = False
    target: Target | None = None
    cited: bool | None = None
    failed: bool = False
    refunded: bool = False
    attempts: int = 0
    abandoned: bool = False

    def begin_answer(self) -> None:
        """Records that the first byte of the answer arrived."""
        self.first_byte = time.monotonic()
        self.engine_s = self.first_byte - (self.sent or self.first_byte)


class Accounts:
    def __init__(self, metrics: Metrics, comparisons: Comparisons, observations: Observations) -> None:
        self._metrics = metrics
        self._comparisons = comparisons
        self._observations = observations

    def count_removed(self, call: RequestRecord, removed: int) -> None:
        if removed:
            self._metrics.invalid_citations.labels(self._metrics.tenant(call.tenant)).inc(removed)

    def close(self, call: RequestRecord, status: int) -> None:
        now = time.monotonic()
        first = "-" if call.first_byte is None else f"{call.first_byte - call.started:.3f}"
        logger.info("tenant=%s model=%s status=%d first_byte_s=%s total_s=%.3f",
                    call.tenant, call.model, status, first, now - call.started)  # fmt: skip
        self._compare(call)
        metrics, tenant, model = self._metrics, *self._metrics.names(call.tenant, call.model)
        metrics.requests.labels(tenant, model, str(status)).inc()
        if call.retrieval != "none":
            metrics.retrievals.labels(tenant, call.retrieval).inc()
            metrics.retrieval.labels(tenant).observe(call.retrieval_s)
        if call.first_byte is None:
            return
        metrics.tokens.labels(tenant, model, "prompt").inc(call.tokens.prompt)
        metrics.tokens.labels(tenant, model, "completion").inc(call.tokens.completion)
        self._observe_times(call, tenant, now)
        self._observations.add(_observation(call, now))

    def _compare(self, call: RequestRecord) -> None:
        """Counts a request for its version only if an engine answered or failed."""
        if call.target and (call.failed or call.finish_reason) and call.sent is not None:
            first = None if call.first_byte is None else call.first_byte - call.sent
            stopped = call.finish_reason == "stop"
            outcome = Outcome(call.failed, call.cited, stopped, first, call.tokens.completion)
            self._comparisons.add(call.target, outcome)

    def _observe_times(self, call: RequestRecord, tenant: str, now: float) -> None:
        first = call.first_byte or now
        self._metrics.first_token.labels(tenant).observe(first - call.started)
        self._metrics.overhead.labels(tenant).observe(first - call.started - call.retrieval_s - call.engine_s)
        if call.sent is not None:
            self._metrics.queue.labels(tenant).observe(call.sent - call.started - call.retrieval_s)
        if call.streamed and call.tokens.completion > 1:
            self._metrics.output_token.labels(tenant).observe((now - first) / (call.tokens.completion - 1))


def _observation(call: RequestRecord, now: float) -> Observation:
    return Observation(
        tenant=call.tenant,
        model=call.model,
        at=time.time(),
        embedding=call.embedding,
        retrieval=call.retrieval,
        finish_reason=call.finish_reason,
        prompt_tokens=call.tokens.prompt,
        completion_tokens=call.tokens.completion,
        first_token_s=None if call.first_byte is None else call.first_byte - call.started,
        total_s=now - call.started,
    )
