"""Series and their page, against prometheus_client's."""

from contextlib import suppress

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from service.series import Counter, FastRegistry, Gauge, Histogram, page

BOUNDS = (0.1, 1, 2.5)
values = st.floats(0, 10, allow_nan=False)
labels = st.tuples(st.text(max_size=4), st.sampled_from(["a", "b"]))


def _page(registry: prometheus_client.CollectorRegistry) -> str:
    return b"".join(page(registry)).decode()


def _samples(text: str) -> set[tuple[str, str, frozenset[tuple[str, str]], float]]:
    return {
        (family.type, sample.name, frozenset(sample.labels.items()), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@given(st.lists(st.tuples(labels, values)), st.text(max_size=9))
def test_a_page_says_what_prometheus_client_would_say(events: list[tuple[tuple[str, str], float]], text: str) -> None:
    ours, theirs = FastRegistry(), prometheus_client.CollectorRegistry()
    names = ("one", "two")
    counter, gauge = Counter("c", text, names, ours), Gauge("g", text, names, ours)
    histogram = Histogram("h", text, names, ours, bounds=BOUNDS)
    other_counter = prometheus_client.Counter("c", text, names, registry=theirs)
    other_gauge = prometheus_client.Gauge("g", text, names, registry=theirs)
    other_histogram = prometheus_client.Histogram("h", text, names, registry=theirs, buckets=BOUNDS)
    for each, value in events:
        for one, other in ((counter, other_counter), (gauge, other_gauge)):
            one.labels(*each).inc(value)
            other.labels(*each).inc(value)
        gauge.labels(*each).dec(value / 2)
        other_gauge.labels(*each).dec(value / 2)
        histogram.labels(*each).observe(value)
        other_histogram.labels(*each).observe(value)
    assert _samples(_page(ours)) == _samples(_page(theirs))


def test_ordinary_metrics_are_on_the_same_page() -> None:
    registry = FastRegistry()
    prometheus_client.Counter("plain", "One.", registry=registry).inc()
    Gauge("many", "Many.", ["name"], registry).labels("x").set(2)
    assert {name for _, name, _, _ in _samples(_page(registry))} == {"plain_total", "many"}


def test_series_go_by_their_first_values() -> None:
    registry = FastRegistry()
    counter = Counter("c", "", ["tenant", "model"], registry)
    for values_ in (("acme", "a"), ("acme", "b"), ("globex", "a")):
        counter.labels(*values_).inc()
    counter.remove("acme", "a")
    counter.remove("nobody", "a")
    assert {dict(each)["model"] for _, _, each, _ in _samples(_page(registry))} == {"a", "b"}
    counter.remove("acme")
    counter.remove("nobody")
    assert [dict(each) for _, _, each, _ in _samples(_page(registry))] == [{"tenant": "globex", "model": "a"}]


def test_a_request_under_way_is_one_more_until_it_ends() -> None:
    gauge = Gauge("g", "", ["name"], registry := FastRegistry()).labels("x")
    with suppress(KeyError), gauge.one_more():
        assert 'g{name="x"} 1.0' in _page(registry)
        raise KeyError
    assert 'g{name="x"} 0.0' in _page(registry)


def test_a_wrong_number_of_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Gauge("g", "", ["one", "two"], FastRegistry()).labels("x")
