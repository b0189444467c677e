"""What the operator counts."""

from collections.abc import Callable, Hashable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from operators.api.resource import Key
from operators.kube.queue import Observer

SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class Metrics(Observer):
    def __init__(self, registry: CollectorRegistry) -> None:
        kind = ("kind",)
        self._looks = Counter("quiver_reconciles", "Looks at an object.", kind, registry=registry)
        self._errors = Counter("quiver_reconcile_errors", "Looks that failed.", kind, registry=registry)
        self._seconds = Histogram(
            "quiver_reconcile_seconds", "Time of one look.", kind, buckets=SECONDS, registry=registry
        )
        self._depth = Gauge("quiver_queue_depth", "Objects that wait to be looked at.", registry=registry)
        self.leading = Gauge("quiver_leading", "1 where this operator leads.", registry=registry)

    def watch(self, depth: Callable[[], int]) -> None:
        self._depth.set_function(depth)

    def done(self, key: Hashable, seconds: float, error: Exception | None) -> None:
        kind = key.kind if isinstance(key, Key) else ""
        self._looks.labels(kind).inc()
        self._seconds.labels(kind).observe(seconds)
        if error:
            self._errors.labels(kind).inc()
