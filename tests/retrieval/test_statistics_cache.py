"""How old the statistics of a search may be."""

from collections.abc import Iterator

import pytest

from retrieval.bm25 import Statistics
from retrieval.scope import Scope
from retrieval.statistics_cache import AGE_S, StatisticsCache
from retrieval.store import KnowledgeBaseRow, Store


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(store: Store, clock: Clock) -> StatisticsCache:
    return StatisticsCache(store, clock=clock)


@pytest.fixture
def scope(store: Store, tenant: str) -> Iterator[Scope]:
    made = Scope(tenant, ("docs",))
    store.create(made)
    yield made
    store.drop(tenant)


def test_a_change_counts_within_a_second(store: Store, cache: StatisticsCache, clock: Clock, scope: Scope) -> None:
    assert cache.of(scope)["docs"].chunks == 0
    store.publish(scope.tenant, KnowledgeBaseRow("docs", Statistics(7)))
    assert cache.of(scope)["docs"].chunks == 0
    clock.now += AGE_S
    assert cache.of(scope)["docs"].chunks == 7


def test_a_missing_knowledge_base_is_found_as_soon_as_it_is_there(
    store: Store, cache: StatisticsCache, scope: Scope
) -> None:
    both = Scope(scope.tenant, ("docs", "later"))
    assert set(cache.of(both)) == {"docs"}
    store.create(both)
    assert set(cache.of(both)) == {"docs", "later"}


def test_a_tenant_that_left_is_forgotten(store: Store, cache: StatisticsCache, scope: Scope) -> None:
    cache.of(scope)
    store.publish(scope.tenant, KnowledgeBaseRow("docs", Statistics(7)))
    cache.keep(frozenset({scope.tenant}))
    assert cache.of(scope)["docs"].chunks == 0
    cache.keep(frozenset())
    assert cache.of(scope)["docs"].chunks == 7


def test_the_number_of_entries_is_bounded(store: Store, clock: Clock, scope: Scope) -> None:
    cache = StatisticsCache(store, most=2, clock=clock)
    cache.of(scope)
    for name in ("one", "two"):
        store.create(Scope(scope.tenant, (name,)))
        cache.of(Scope(scope.tenant, (name,)))
    store.publish(scope.tenant, KnowledgeBaseRow("docs", Statistics(7)))
    assert cache.of(scope)["docs"].chunks == 7
