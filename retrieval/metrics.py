"""Every metric of the query path, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from contract.search import Outcome, SearchResponse

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
OTHER = "other"


class Metrics:
    """Counts searches by tenant, for at most `tenants` tenants of the store; the rest share `other`."""

    def __init__(self, *, tenants: int) -> None:
        self.registry = CollectorRegistry()
        self._limit = tenants
        self._labels: frozenset[str] = frozenset()
        self._seconds = Histogram(
            "quiver_retrieval_search_seconds",
            "Time of one search by stage.",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._searches = Counter(
            "quiver_retrieval_searches", "Searches by outcome.", ["tenant", "outcome"], registry=self.registry
        )
        self._reranks = Counter(
            "quiver_retrieval_reranks",
            "Searches whose hits a re-ranker was asked to order, by whether it read any in time.",
            ["outcome"],
            registry=self.registry,
        )
        self._others = Counter(
            "quiver_retrieval_other_embedder_hits",
            "Hits with a vector of another embedder than this process has: found by their words alone.",
            registry=self.registry,
        )
        self._unembedded = Counter(
            "quiver_retrieval_unembedded",
            "Searches by words alone, because the embedder did not answer.",
            registry=self.registry,
        )
        self._failures = Counter("quiver_retrieval_failures", "Searches that failed.", ["code"], registry=self.registry)

    def admit(self, tenants: frozenset[str]) -> None:
        """Use the store's tenants as labels, and drop the series of removed ones."""
        stay = sorted(self._labels & tenants)
        fresh = sorted(tenants - self._labels)
        admitted = frozenset([*stay, *fresh][: self._limit])
        for gone in self._labels - admitted:
            for outcome in Outcome:
                self._searches.remove(gone, outcome.value)
        for tenant in admitted - self._labels:
            for outcome in Outcome:
                self._searches.labels(tenant, outcome.value)
        self._labels = admitted

    def searched(self, tenant: str, answer: SearchResponse) -> None:
        label = tenant if tenant in self._labels else OTHER
        self._searches.labels(label, answer.outcome.value).inc()
        for stage, seconds in answer.seconds.model_dump().items():
            self._seconds.labels(stage).observe(seconds)
        self._reranked(answer)
        self._others.inc(answer.other_embedder_hits)
        self._unembedded.inc(not answer.embedded)

    def _reranked(self, answer: SearchResponse) -> None:
        if answer.reranked is None:
            return
        outcome = "some" if answer.reranked else "none"
        self._reranks.labels(outcome).inc()

    def failed(self, code: str) -> None:
        self._failures.labels(code).inc()
