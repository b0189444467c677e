"""Every metric of the gateway, declared in one place.

The number of labels is bounded: tenants and models are those of the catalog, all others count as `other`. When a name
leaves the catalog, its series are removed. Histograms, which have many lines, are of the tenants that are active.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Set

import prometheus_client

from contract.tenant import Slo
from service.series import Counter, FastRegistry, Gauge, Histogram
from serving.gateway.outcome import RequestOutcome
from serving.gateway.timed_tenants import TimedTenants

OTHER = "other"
MAX_TENANTS = 10_000

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SHORT_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)


class Metrics:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = FastRegistry()
        self._timed = TimedTenants(clock)
        self.requests = self._counter(
            "requests", "Finished requests, by the response's status and by what became of them.", "tenant", "model",
            "code", "outcome",
        )  # fmt: skip
        self.failed = self._counter("failed_requests", "Requests that the platform failed: engine_failed, unavailable.",
                                    "tenant")  # fmt: skip
        self.slow = self._counter(
            "slow_first_tokens", "Streams whose first token came later than the tenant's SLO says.", "tenant"
        )
        self.first_tokens = self._counter(
            "first_tokens", "Streams that have begun, or were given up too late.", "tenant"
        )
        self.budget = self._gauge("slo_budget", "The share of requests that may miss the tenant's SLO.", "tenant",
                                  "slo")  # fmt: skip
        self.documents = self._counter("documents_requests", "Finished requests for documents.", "tenant", "route",
                                       "code")  # fmt: skip
        self.tokens = self._counter("tokens", "Tokens as the engine counted them.", "tenant", "model", "direction")
        self.throttled = self._counter("throttled", "Requests refused by a limit of their tenant.", "tenant", "limit")
        self.retrievals = self._counter("retrievals", "Searches by outcome.", "tenant", "outcome")
        self.invalid_citations = self._counter(
            "invalid_citations",
            "Marks removed: the passage is missing, or lacks the values of the sentence.",
            "tenant",
        )
        self.dropped_observations = prometheus_client.Counter(
            "quiver_gateway_dropped_observations", "Observations dropped: queue full.", registry=self.registry
        )
        self.first_token = self._histogram(
            "time_to_first_token_seconds", "From a request to the first byte of its stream.", "model"
        )
        self.duration = self._histogram(
            "request_seconds", "From a request to the end of its answer.", "model", "stream"
        )
        self.output_token = self._histogram("time_per_output_token_seconds", "Time between tokens of the answer.")
        self.queue = self._histogram("queue_seconds", "Waiting to be sent to an engine.", short=True)
        self.retrieval = self._histogram("retrieval_seconds", "Searching documents.")
        self.overhead = self._histogram("overhead_seconds", "The gateway's own share of a request.", short=True)
        self.in_flight = self._gauge("in_flight", "Requests under way.", "tenant")
        self.tokens_in_flight = self._gauge(
            "tokens_in_flight",
            "Tokens reserved by requests under way: their prompts, and the answers that they ask for.",
            "base_model",
        )
        self.held = self._gauge("held_requests", "Requests that wait for an engine to start.", "base_model")
        self.generation = prometheus_client.Gauge(
            "quiver_gateway_catalog_generation", "Snapshot in force.", registry=self.registry
        )
        self._models: Mapping[str, frozenset[str]] = {}
        self._slos: Mapping[str, Slo] = {}
        self._bases: frozenset[str] = frozenset()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"quiver_gateway_{name}", text, labels, self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"quiver_gateway_{name}", text, labels, self.registry)

    def _histogram(self, name: str, text: str, *labels: str, short: bool = False) -> Histogram:
        buckets = _SHORT_SECONDS if short else _SECONDS
        return Histogram(f"quiver_gateway_{name}", text, ["tenant", *labels], self.registry, bounds=buckets)

    def count(self, tenant: str, model: str, status: int, outcome: RequestOutcome) -> None:
        """Counts a finished request. `tenant` and `model` are labels, from `names`."""
        self.requests.labels(tenant, model, str(status), outcome.value).inc()
        if outcome.is_failure:
            self.failed.labels(tenant).inc()

    def observe_first_token(self, tenant: str, model: str, seconds: float) -> None:
        """Of a stream. `tenant` and `model` are labels, from `names`."""
        self.first_tokens.labels(tenant).inc()
        self.first_token.labels(*self.timed(tenant, model)).observe(seconds)
        slo = self._slos.get(tenant)
        if slo and seconds > slo.first_token_seconds:
            self.slow.labels(tenant).inc()

    def give_up_first_token(self, tenant: str, model: str, seconds: float) -> None:
        """Of a stream that ended before its first token. It counts if that was later than the SLO says: otherwise
        figures would improve when callers give up."""
        slo = self._slos.get(tenant)
        if slo and seconds > slo.first_token_seconds:
            self.observe_first_token(tenant, model, seconds)

    def count_throttled(self, tenant: str, limit: str) -> None:
        self.throttled.labels(self.tenant(tenant), limit).inc()

    def tenant(self, name: str) -> str:
        return name if name in self._models else OTHER

    def names(self, tenant: str, model: str) -> tuple[str, str]:
        """The labels of a tenant and of one of its names."""
        return self.tenant(tenant), model if model in self._models.get(tenant, ()) else OTHER

    def timed(self, tenant: str, model: str) -> tuple[str, str]:
        """The labels of a tenant and of one of its names in histograms. `tenant` and `model` are from `names`."""
        if tenant == OTHER:
            return OTHER, OTHER
        use = self._timed.use(tenant)
        if use.dropped:
            _remove(self._histograms(), use.dropped)
        return (tenant, model) if use.is_timed else (OTHER, OTHER)

    def register(
        self, models: Mapping[str, frozenset[str]], bases: Iterable[str], slos: Mapping[str, Slo] | None = None
    ) -> None:
        """`models` are the names with their own series, by tenant, and `slos` the tenants' SLOs. The series of removed
        names are deleted. Base models have series from the start, because an autoscaler without a series does not scale
        down."""
        self._take_bases(frozenset(bases))
        before, self._models = self._models, {tenant: models[tenant] for tenant in sorted(models)[:MAX_TENANTS]}
        for tenant, names in before.items():
            if tenant not in self._models:
                _remove(self._per_tenant(), tenant)
                self._timed.drop(tenant)
                continue
            for name in names - self._models[tenant]:
                _remove(self._per_model(), tenant, name)
        for tenant in self._models.keys() - before.keys():  # from the start: rates miss a series' first event
            self.failed.labels(tenant)
            self.first_tokens.labels(tenant)
            self.slow.labels(tenant)
        self._take_slos(slos or {}, before.keys())

    def _take_bases(self, now: frozenset[str]) -> None:
        before, self._bases = self._bases, now
        for base in now:
            for gauge in (self.tokens_in_flight, self.held):
                gauge.labels(base)
        for base in before - now:
            for gauge in (self.tokens_in_flight, self.held):
                gauge.remove(base)

    def _take_slos(self, slos: Mapping[str, Slo], before: Set[str]) -> None:
        """`before` are the tenants that had series before."""
        old, self._slos = self._slos, {name: slo for name, slo in slos.items() if name in self._models}
        for tenant, slo in self._slos.items():
            if old.get(tenant) != slo or tenant not in before:
                self.budget.labels(tenant, "availability").set(1 - slo.availability)
                self.budget.labels(tenant, "first_token").set(1 - slo.first_token_share)

    def _histograms(self) -> list[Counter | Histogram | Gauge]:
        return [self.first_token, self.duration, self.output_token, self.queue, self.retrieval, self.overhead]

    def _per_model(self) -> list[Counter | Histogram | Gauge]:
        return [self.requests, self.tokens, self.first_token, self.duration]

    def _per_tenant(self) -> list[Counter | Histogram | Gauge]:
        return [
            self.requests, self.tokens, self.failed, self.first_tokens, self.slow, self.budget, self.documents,
            self.throttled, self.retrievals, self.invalid_citations, self.in_flight, *self._histograms(),
        ]  # fmt: skip


def _remove(metrics: list[Counter | Histogram | Gauge], *first: str) -> None:
    for metric in metrics:
        metric.remove(*first)
