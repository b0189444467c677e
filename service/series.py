"""Counters, gauges and histograms of many label values, with a page that is written fast.

prometheus_client makes an object for each line of a page: 100,000 lines take a second, for which the event loop waits
its turn. A series here keeps the text before its numbers. Changed on the event loop alone; a page, which a thread
writes, may lack what comes meanwhile.
"""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, islice
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

_PART = 20_000  # lines; each part takes a turn of the event loop
_IN_LABELS = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_IN_HELP = str.maketrans({"\\": r"\\", "\n": r"\n", '"': '"'})


class Number:
    """The value of a counter or of a gauge."""

    def __init__(self, label: str) -> None:
        self._label, self._value = label, 0.0

    def inc(self, amount: float = 1.0) -> None:
        self._value += amount

    def dec(self, amount: float = 1.0) -> None:
        self._value -= amount

    def set(self, value: float) -> None:
        self._value = float(value)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """One more within the block."""
        self.inc()
        try:
            yield
        finally:
            self.dec()

    def lines(self, name: str) -> Iterator[str]:
        yield f"{name}{{{self._label}}} {self._value!r}\n"


class Buckets:
    """The counts of a histogram, by the upper `bounds` of its buckets, ascending."""

    def __init__(self, label: str, bounds: Sequence[float]) -> None:
        self._label, self._bounds = label, bounds
        self._counts, self._sum = [0.0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1.0
        self._sum += value

    def lines(self, name: str) -> Iterator[str]:
        label, counts = self._label, list(accumulate(self._counts))
        for bound, count in zip(self._bounds, counts, strict=False):
            yield f'{name}_bucket{{{label},le="{bound!r}"}} {count!r}\n'
        yield f'{name}_bucket{{{label},le="+Inf"}} {counts[-1]!r}\n'
        yield f"{name}_count{{{label}}} {counts[-1]!r}\n"
        yield f"{name}_sum{{{label}}} {self._sum!r}\n"


S = TypeVar("S", Number, Buckets)


class Family(Collector, Generic[S]):
    """All series of one metric, by the values of `labelnames`, of which there is at least one."""

    kind: str

    def __init__(self, name: str, text: str, labelnames: Sequence[str], registry: "FastRegistry") -> None:
        self.name, self.text, self._labelnames = name, text, tuple(labelnames)
        self._series: dict[str, dict[tuple[str, ...], S]] = {}  # by the first value, then by all
        registry.register(self)

    @abstractmethod
    def _made(self, label: str) -> S:
        """A new series."""

    def labels(self, *values: str) -> S:
        """The series with these values; made if it is new."""
        group = self._series.setdefault(values[0], {})
        series = group.get(values)
        if series is None:
            pairs = zip(self._labelnames, values, strict=True)
            label = ",".join(f'{name}="{value.translate(_IN_LABELS)}"' for name, value in pairs)
            series = group[values] = self._made(label)
        return series

    def remove(self, *first: str) -> None:
        """Removes every series whose values begin with `first`."""
        if len(first) == 1:
            self._series.pop(first[0], None)
            return
        group = self._series.get(first[0], {})
        for values in [each for each in group if each[: len(first)] == first]:
            del group[values]

    def collect(self) -> Iterator[Metric]:
        """What the metric is, without its series: `FastRegistry.page` writes them."""
        yield Metric(self.name, self.text, self.kind)

    def lines(self) -> Iterator[str]:
        name = f"{self.name}_total" if self.kind == "counter" else self.name
        yield f"# HELP {name} {self.text.translate(_IN_HELP)}\n# TYPE {name} {self.kind}\n"
        for group in list(self._series.values()):
            for series in list(group.values()):
                yield from series.lines(name)


class Counter(Family[Number]):
    kind = "counter"

    def _made(self, label: str) -> Number:
        return Number(label)


class Gauge(Family[Number]):
    kind = "gauge"

    def _made(self, label: str) -> Number:
        return Number(label)


class Histogram(Family[Buckets]):
    kind = "histogram"

    def __init__(
        self, name: str, text: str, labelnames: Sequence[str], registry: "FastRegistry", *, bounds: Sequence[float]
    ) -> None:
        self._bounds = tuple(float(bound) for bound in bounds)
        super().__init__(name, text, labelnames, registry)

    def _made(self, label: str) -> Buckets:
        return Buckets(label, self._bounds)


class FastRegistry(CollectorRegistry):
    """Families of many series, beside ordinary metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.families: list[Family[Number] | Family[Buckets]] = []

    def register(self, collector: Collector) -> None:
        if isinstance(collector, Family):
            self.families.append(collector)
        else:
            super().register(collector)

    def lines(self) -> Iterator[str]:
        for family in self.families:
            yield from family.lines()


def page(registry: CollectorRegistry) -> Iterator[bytes]:
    """What Prometheus reads, in parts that take a few milliseconds each."""
    yield generate_latest(registry)
    if isinstance(registry, FastRegistry):
        lines = registry.lines()
        while part := "".join(islice(lines, _PART)):
            yield part.encode()
