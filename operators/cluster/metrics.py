"""Metrics of the operator."""

from collections.abc import Callable, Hashable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contract.conditions import READY
from contract.fine_tune import FineTune
from contract.objects import AnyObject
from contract.resource import Key
from kube.queue import Observer

SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class Metrics(Observer):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        kind = ("kind",)
        self._looks = Counter("quiver_reconciles", "Reconciles of objects.", kind, registry=registry)
        self._errors = Counter("quiver_reconcile_errors", "Failed reconciles.", kind, registry=registry)
        self._seconds = Histogram(
            "quiver_reconcile_seconds", "Time of one reconcile.", kind, buckets=SECONDS, registry=registry
        )
        self._depth = Gauge("quiver_queue_depth", "Objects that wait for a reconcile.", registry=registry)
        self._leading = Gauge("quiver_leading", "1 where this operator leads.", registry=registry)
        self._leads = False

    def lead(self) -> None:
        self._leads = True
        self._leading.set(1)

    def watch(self, depth: Callable[[], int], objects: Callable[[], Iterable[AnyObject]]) -> None:
        """Registers the values computed at each scrape."""
        self._depth.set_function(lambda: depth() if self._leads else 0)
        self._registry.register(ObjectConditions(objects, lambda: self._leads))
        self._registry.register(Trainings(objects, lambda: self._leads))

    def done(self, key: Hashable, seconds: float, error: Exception | None) -> None:
        kind = key.kind if isinstance(key, Key) else ""
        self._looks.labels(kind).inc()
        self._seconds.labels(kind).observe(seconds)
        if error:
            self._errors.labels(kind).inc()


class _OfObjects(Collector):
    """Only the leader exports values of objects, so queries need not select an operator."""

    def __init__(self, objects: Callable[[], Iterable[AnyObject]], leads: Callable[[], bool]) -> None:
        self._all = objects
        self._leads = leads

    def _objects(self) -> list[AnyObject]:
        return list(self._all()) if self._leads() else []

    def describe(self) -> Iterable[Metric]:
        return ()


class ObjectConditions(_OfObjects):
    """`quiver_object_condition`: for every object its Ready condition, and each other false condition."""

    def collect(self) -> Iterable[Metric]:
        labels = ("kind", "namespace", "name", "condition", "reason")
        family = GaugeMetricFamily("quiver_object_condition", "1 where a condition of an object holds.", labels=labels)
        for item in self._objects():
            for condition in item.status.conditions:
                if condition.type == READY or not condition.holds:
                    values = (item.kind, item.namespace or "", item.name, condition.type, condition.reason)
                    family.add_metric(values, float(condition.holds))
        yield family


class Trainings(_OfObjects):
    """The progress of the current training of each FineTune."""

    def collect(self) -> Iterable[Metric]:
        labels = ("namespace", "name")
        step = GaugeMetricFamily("quiver_training_step", "Steps that a training has done.", labels=labels)
        steps = GaugeMetricFamily("quiver_training_steps", "Steps of the whole training.", labels=labels)
        loss = GaugeMetricFamily("quiver_training_held_out_loss", "Loss of the held-out rows.", labels=labels)
        for item in self._objects():
            training = item.status.training if isinstance(item, FineTune) else None
            if training:
                values = (item.namespace, item.name)
                step.add_metric(values, training.step)
                steps.add_metric(values, training.steps)
                if training.held_out_loss is not None:
                    loss.add_metric(values, training.held_out_loss)
        yield from (step, steps, loss)
