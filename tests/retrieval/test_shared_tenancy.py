"""One collection for all tenants: what is one tenant's alone stays so."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pymilvus import MilvusClient

from operators.local.layout import free_port
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.embedding.vectors import Vectors
from retrieval.errors import IsolationError, StoreError
from retrieval.scope import Scope
from retrieval.store import Store
from retrieval.store.names import Tenancy, collection_of, shared_collection
from retrieval.store.probe import prove_isolation
from tests.retrieval.chunks import stored
from tests.retrieval.conftest import collections_in, milvus_lite, wait_until
from tests.retrieval.embedders import DIMENSIONS
from tests.retrieval.ingest.bench import Bench
from tests.retrieval.test_scope import HOSTILE
from tests.retrieval.test_store import TEXTS, asked


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Milvus of this module's own: its collection of all tenants has no others'."""
    port = free_port()
    with milvus_lite(tmp_path_factory.mktemp("milvus"), port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def shared(address: str) -> Iterator[Store]:
    opened = Store(address, dimension=DIMENSIONS, timeout=20, tenancy=Tenancy.SHARED)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def dedicated(address: str) -> Iterator[Store]:
    opened = Store(address, dimension=DIMENSIONS, timeout=20)
    yield opened
    opened.close()


def test_it_isolates_and_keeps_nothing_of_the_probe(shared: Store) -> None:
    prove_isolation(shared, DIMENSIONS)
    assert not any(tenant.startswith("QUIVER-PROBE") for tenant in shared.tenants())


@pytest.mark.parametrize("broken", ["chunks", "embedded_chunks", "chunks_by_id"])
def test_a_filter_that_is_ignored_is_noticed(shared: Store, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    monkeypatch.setattr(Scope, broken, lambda _scope, *_ids: "ordinal > -1")
    with pytest.raises(IsolationError):
        prove_isolation(shared, DIMENSIONS)


def test_hostile_tenants_see_and_delete_their_own_chunks_alone(shared: Store, embedder: SentenceEncoder) -> None:
    for name in HOSTILE:
        stored(shared, embedder, Scope(name, ("docs",)), [f"The plan of {name}."])
    vector = embedder.embed(["plan"])[0]
    for name in HOSTILE:
        scope = Scope(name, ("docs",))
        assert [hit.text for hit in shared.dense(scope, embedder.id, vector, 20)] == [f"The plan of {name}."]
        assert [hit.text for hit in shared.lexical(scope, asked("plan"), 20)] == [f"The plan of {name}."]
        assert shared.count(scope, scope.filter()) == 2  # with the card
    assert set(HOSTILE) <= shared.tenants()
    for gone, left in itertools.pairwise(HOSTILE):
        shared.drop(gone)
        assert gone not in shared.tenants()
        scope = Scope(left, ("docs",))
        assert shared.count(scope, scope.chunks()) == 1
    shared.drop(HOSTILE[-1])


def test_a_row_of_another_tenant_fails_the_search(
    shared: Store, embedder: SentenceEncoder, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = f"{tenant}-other"
    for name in (tenant, other):
        stored(shared, embedder, Scope(name, ("docs",)), TEXTS)
    monkeypatch.setattr(Scope, "embedded_chunks", lambda _scope, _embedder, _filter: f"tenant == {other!r}")
    with pytest.raises(IsolationError, match="outside the scope"):
        shared.dense(Scope(tenant, ("docs",)), embedder.id, embedder.embed(["plan"])[0], 5)


def test_statistics_of_words_are_of_the_tenants_own_knowledge_base(
    shared: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    """Those of a whole collection would show how often other tenants have a word."""
    for name in (tenant, f"{tenant}-other"):
        shared.create(Scope(name, ("docs",)))
    stored(shared, embedder, Scope(f"{tenant}-other", ("docs",)), TEXTS)
    assert shared.terms(Scope(tenant, ("docs",)), 100) == []


@pytest.fixture
def bench(dedicated: Store, embedder: SentenceEncoder, tenant: str, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(dedicated, embedder, tenant, tmp_path)
    yield made
    made.ledger.close()


def test_documents_move_to_another_tenancy_with_their_vectors(
    bench: Bench, dedicated: Store, shared: Store, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[str] = []
    embed = bench.embedder.embed
    bench.write("a.txt", "The plan a.")
    bench.set_desired("docs")

    def counted(texts: Sequence[str]) -> Vectors:
        embedded.extend(texts)
        return embed(texts)

    monkeypatch.setattr(bench.embedder, "embed", counted)
    for to in (shared, dedicated):
        bench.store = to
        question = bench.embedder.embed_queries(["The plan a."])[0]
        wait_until(lambda: bench.texts() == ["The plan a."])  # before anything has moved
        assert [hit.text for hit in to.dense(bench.scope, bench.embedder.id, question, 5)] == ["The plan a."]
        bench.restart()
        bench.now += 3_600
        bench.settle()
        assert bench.texts() == ["The plan a."]
        assert [hit.text for hit in to.dense(bench.scope, bench.embedder.id, question, 5)] == ["The plan a."]
        assert bench.tenant in to.tenants()
        owned = collection_of(bench.tenant, DIMENSIONS) in collections_in(address)
        assert owned == (to is dedicated)
    assert embedded == []
    bench.worker.set_desired([])
    bench.settle()
    assert bench.tenant not in shared.tenants()


def test_a_deletion_that_fails_half_way_is_known_and_tried_again(
    shared: Store, embedder: SentenceEncoder, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(shared, embedder, Scope(tenant, ("docs",)), TEXTS)
    with monkeypatch.context() as broken:
        broken.setattr(MilvusClient, "delete", lambda *_args, **_options: None)
        with pytest.raises(StoreError, match="still has rows"):
            shared.drop(tenant)
    assert tenant in shared.tenants()
    shared.drop(tenant)
    assert tenant not in shared.tenants()


def test_an_emptied_collection_of_all_tenants_goes(embedder: SentenceEncoder, tenant: str, tmp_path: Path) -> None:
    port, scope = free_port(), Scope(tenant, ("docs",))
    address = f"http://127.0.0.1:{port}"
    with milvus_lite(tmp_path, port):
        shared = Store(address, dimension=DIMENSIONS, timeout=20, tenancy=Tenancy.SHARED)
        dedicated = Store(address, dimension=DIMENSIONS, timeout=20)
        stored(shared, embedder, scope, TEXTS)
        dedicated.create(scope)
        dedicated.drop_emptied(tenant)
        assert shared_collection(DIMENSIONS) in collections_in(address)
        shared.delete(scope, scope.chunks())
        dedicated.drop_emptied(tenant)
        assert collections_in(address) == [collection_of(tenant, DIMENSIONS)]
        shared.close()
        dedicated.close()
