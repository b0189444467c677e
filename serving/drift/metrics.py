"""Every metric, in one list. Each scrape reads them from the detector, so a removed tenant has no series left."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from serving.drift.cause import Cause
from serving.drift.detector import Detector, Report
from serving.drift.verdict import State

Sample = tuple[list[str], float]  # the values of the labels, then the value


@dataclass(frozen=True)
class Metric:
    """`samples` reads the detector: one sample for each combination of label values."""

    name: str
    help: str
    labels: tuple[str, ...]
    samples: Callable[[Detector], Iterator[Sample]]
    family: type[GaugeMetricFamily] | type[CounterMetricFamily] = GaugeMetricFamily


def per_report(read: Callable[[Report], Iterator[Sample]]) -> Callable[[Detector], Iterator[Sample]]:
    """Applies `read` to every report, and puts its tenant and signal before the labels of each sample."""

    def samples(detector: Detector) -> Iterator[Sample]:
        for report in detector.reports():
            for labels, value in read(report):
                yield [report.tenant, report.signal, *labels], value

    return samples


def states(report: Report) -> Iterator[Sample]:
    for state in State:
        yield [state], float(state is report.verdict.state)


def sizes(report: Report) -> Iterator[Sample]:
    yield ["reference"], report.reference_samples
    yield ["current"], report.samples


def p_value(report: Report) -> Iterator[Sample]:
    if report.verdict.test:
        yield [], report.verdict.test.p_value


def statistic(report: Report) -> Iterator[Sample]:
    if report.verdict.test:
        yield [], report.verdict.test.statistic


def tested_at(report: Report) -> Iterator[Sample]:
    if report.verdict.test:
        yield [], report.verdict.test.at


def observations(detector: Detector) -> Iterator[Sample]:
    yield ["accepted"], detector.received.accepted
    yield ["refused"], detector.received.refused


def causes(detector: Detector) -> Iterator[Sample]:
    causes = detector.causes()
    for tenant in detector.tenants:
        for cause in Cause:
            yield [tenant, cause], float(cause is causes.get(tenant))


def refused_tenants(detector: Detector) -> Iterator[Sample]:
    yield [], len(detector.refused_tenants)


SERIES = ("tenant", "signal")

METRICS = (
    Metric("quiver_drift_state", "1 for the state that holds, else 0.", (*SERIES, "state"), per_report(states)),
    Metric("quiver_drift_p_value", "P-value of the last test.", SERIES, per_report(p_value)),
    Metric("quiver_drift_statistic", "Statistic of the last test.", SERIES, per_report(statistic)),
    Metric("quiver_drift_samples", "Samples that a window holds.", (*SERIES, "window"), per_report(sizes)),
    Metric("quiver_drift_tested_timestamp_seconds", "When the last test was made.", SERIES, per_report(tested_at)),
    Metric("quiver_drift_cause", "1 for what has changed, else 0.", ("tenant", "cause"), causes),
    Metric("quiver_drift_refused_tenants", "Tenants over the cap: they are not watched.", (), refused_tenants),
    Metric(
        "quiver_drift_observations",
        "Observations received; refused: of a tenant that is not watched.",
        ("result",),
        observations,
        CounterMetricFamily,
    ),
)


class DriftCollector(Collector):
    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        for metric in METRICS:
            family = metric.family(metric.name, metric.help, labels=metric.labels)
            for labels, value in metric.samples(self._detector):
                family.add_metric(labels, value)
            yield family


def registry(detector: Detector) -> CollectorRegistry:
    own = CollectorRegistry()
    own.register(DriftCollector(detector))
    return own
