"""The order in which replicas are tried."""

from hypothesis import given
from hypothesis import strategies as st

from contract.rendezvous import ranked
from serving.gateway.balance import by_load, by_name

URLS = st.sets(st.integers(1, 99).map(lambda number: f"http://10.0.0.{number}"), min_size=1, max_size=8)


def test_the_least_busy_comes_first() -> None:
    assert by_load({"a": 2, "b": 0, "c": 1}) == ["b", "c", "a"]


@given(URLS, st.text())
def test_idle_replicas_are_tried_in_the_same_order_and_one_that_goes_moves_no_other(urls: set[str], name: str) -> None:
    order = by_name(dict.fromkeys(urls, 0), name)
    assert by_name(dict.fromkeys(sorted(urls), 0), name) == order
    for gone in urls:
        assert by_name(dict.fromkeys(urls - {gone}, 0), name) == [url for url in order if url != gone]


@given(URLS, st.text(), st.integers(1, 8), st.integers(1, 9))
def test_of_the_replicas_that_keep_an_adapter_the_least_busy_is_tried_first(
    urls: set[str], name: str, homes: int, load: int
) -> None:
    kept = set(by_name(dict.fromkeys(urls, 0), name, homes)[:homes])
    assert kept == set(ranked(urls, name)[:homes])
    idle = min(kept)
    loads = {url: 0 if url == idle or url not in kept else load for url in urls}
    assert by_name(loads, name, homes)[0] == idle


def test_versions_are_spread() -> None:
    first = [by_name({"a": 0, "b": 0}, str(number))[0] for number in range(100)]
    assert 30 < first.count("a") < 70


def test_a_replica_far_above_the_average_comes_last() -> None:
    loads = {"a": 0, "b": 0, "c": 0}
    preferred = by_name(loads, "acme.support.0")[0]
    assert by_name({**loads, preferred: 5}, "acme.support.0")[-1] == preferred
    assert by_name({**dict.fromkeys(loads, 5), preferred: 6}, "acme.support.0")[0] == preferred
