"""The store against a real Milvus Lite: scopes hold, deletions are proven, losses are survived."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from pymilvus import MilvusClient

from operators.local.layout import free_port
from retrieval.bm25 import Sparse, Statistics, query_vector
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.errors import IsolationError, NoSpaceError, StoreError
from retrieval.lexical import terms
from retrieval.scope import Scope
from retrieval.store import Store
from retrieval.store.failures import translated
from retrieval.store.probe import prove_isolation
from tests.retrieval.chunks import stored
from tests.retrieval.conftest import milvus_lite, wait_until
from tests.retrieval.embedders import DIMENSIONS
from tests.retrieval.test_scope import HOSTILE

TEXTS = ("The refund window is 30 days.", "Support answers within two hours.", "환불 기간은 30일입니다.")


def asked(question: str) -> Sparse:
    return query_vector(Statistics().rarities(terms(question)))


def test_each_leg_finds_its_own_and_scores_grow_with_nearness(
    store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    scope = Scope(tenant, ("kb",))
    stored(store, embedder, scope, TEXTS)
    dense = store.dense(scope, embedder.id, embedder.embed(["money back"])[0], 10)
    assert [hit.text for hit in dense] == [TEXTS[0], TEXTS[1]]
    assert 1 >= dense[0].score > dense[1].score
    lexical = store.lexical(scope, asked("refund 환불기간"), 10)
    assert {hit.text for hit in lexical} == {TEXTS[0], TEXTS[2]}
    assert all(hit.score > 0 for hit in lexical)


def test_what_the_embedder_cannot_read_is_not_ranked_by_it(
    store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    scope = Scope(tenant, ("kb",))
    stored(store, embedder, scope, TEXTS[2:])
    assert store.dense(scope, embedder.id, embedder.embed(["refund"])[0], 10) == []


def test_vectors_of_another_embedder_are_neither_compared_nor_reused(
    store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    scope = Scope(tenant, ("kb",))
    chunks = stored(store, embedder, scope, TEXTS)
    assert store.dense(scope, "another", embedder.embed(["refund"])[0], 10) == []
    assert store.vectors(scope, "another", [chunk.content for chunk in chunks]) == {}
    assert store.lexical(scope, asked("refund"), 10)


def test_hostile_names_lead_to_their_own_chunks_alone(store: Store, embedder: SentenceEncoder, tenant: str) -> None:
    for name in HOSTILE:
        stored(store, embedder, Scope(tenant, (name,)), [f"The plan of {name}."])
    vector = embedder.embed(["plan"])[0]
    for name in HOSTILE:
        scope = Scope(tenant, (name,))
        assert [hit.knowledge_base for hit in store.dense(scope, embedder.id, vector, 20)] == [name]
        assert [hit.knowledge_base for hit in store.lexical(scope, asked("plan"), 20)] == [name]
        assert set(store.statistics_of(scope)) == {name}
        assert store.count(scope, scope.chunks()) == 1


def test_hostile_tenants_see_and_delete_their_own_chunks_alone(store: Store, embedder: SentenceEncoder) -> None:
    scopes = [Scope(name, ("kb",)) for name in HOSTILE]
    for scope in scopes:
        stored(store, embedder, scope, [f"The plan of {scope.tenant}."])
    assert set(HOSTILE) <= store.tenants()
    for number, scope in enumerate(scopes):
        assert [hit.text for hit in store.lexical(scope, asked("plan"), 20)] == [f"The plan of {scope.tenant}."]
        store.delete(scope, scope.filter())
        counts = [store.count(each, each.chunks()) for each in scopes]
        assert counts == [0] * (number + 1) + [1] * (len(scopes) - number - 1)
    for scope in scopes:
        store.drop(scope.tenant)
    assert not set(HOSTILE) & store.tenants()


def test_the_same_chunk_ids_of_two_tenants_are_two_chunks(store: Store, embedder: SentenceEncoder, tenant: str) -> None:
    ours, theirs = Scope(tenant, ("kb",)), Scope(f"{tenant}-b", ("kb",))
    chunk = stored(store, embedder, ours, ["Our plan."])[0]
    store.create(theirs)
    assert store.count_existing(theirs, [chunk.id]) == 0
    store.delete(theirs, theirs.chunks_by_id([chunk.id]))
    assert store.count_existing(ours, [chunk.id]) == 1


def test_what_was_just_edited_is_found_beside_what_was_stored_long_ago(
    store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    old, new = Scope(tenant, ("old",)), Scope(tenant, ("new",))
    stored(store, embedder, old, [f"The refund window of plan {number} is long." for number in range(50)])
    store.settle(old)
    stored(store, embedder, new, ["The refund window of Velmora is short."])
    both = Scope(tenant, ("old", "new"))
    weights = query_vector(Statistics.of(store.terms(both, 100)).rarities(terms("refund window velmora")))
    assert store.lexical(both, weights, 5)[0].knowledge_base == "new"


def test_bm25_of_one_tenant_does_not_move_with_the_documents_of_another(
    store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    ours, theirs = Scope(tenant, ("kb",)), Scope(f"{tenant}-b", ("kb",))
    stored(store, embedder, ours, TEXTS)
    before = store.lexical(ours, asked("refund window"), 5)
    stored(store, embedder, theirs, [f"The refund window of plan {number}." for number in range(50)])
    assert store.lexical(ours, asked("refund window"), 5) == before


def test_a_tenant_without_a_collection_has_nothing(store: Store, tenant: str) -> None:
    scope = Scope(tenant, ("kb",))
    assert store.statistics_of(scope) == {}
    assert store.count(scope, scope.chunks()) == 0
    assert store.chunk_counts(scope) == {}


def test_making_a_collection_again_keeps_its_chunks(store: Store, embedder: SentenceEncoder, tenant: str) -> None:
    scope = Scope(tenant, ("kb",))
    stored(store, embedder, scope, TEXTS)
    store.create(Scope(tenant, ("kb", "another")))
    assert set(store.statistics_of(Scope(tenant, ("kb", "another", "none")))) == {"kb", "another"}
    assert store.chunk_counts(scope) == {"document-0": 1, "document-1": 1, "document-2": 1}


def test_every_knowledge_base_of_a_tenant_is_listed_and_none_of_another(store: Store, tenant: str) -> None:
    store.create(Scope(tenant, ("docs", "faq")))
    store.create(Scope(f"{tenant}-b", ("secret",)))
    assert store.knowledge_bases(tenant) == {"docs", "faq"}
    assert store.knowledge_bases(f"{tenant}-c") == frozenset()


def test_stored_vectors_are_found_by_content(store: Store, embedder: SentenceEncoder, tenant: str) -> None:
    scope = Scope(tenant, ("kb",))
    chunks = stored(store, embedder, scope, TEXTS)
    held = store.vectors(scope, embedder.id, [chunk.content for chunk in chunks] + ["unknown"])
    assert set(held) == {chunks[0].content, chunks[1].content}
    assert chunks[0].dense is not None
    assert np.allclose(held[chunks[0].content], chunks[0].dense, atol=1e-6)


def test_a_store_that_isolates_passes_the_probe_and_keeps_nothing_of_it(store: Store) -> None:
    prove_isolation(store, DIMENSIONS)
    assert not any(tenant.startswith("QUIVER-PROBE") for tenant in store.tenants())


@pytest.mark.parametrize("broken", ["chunks", "embedded_chunks", "chunks_by_id"])
def test_a_store_that_only_pretends_to_isolate_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr("retrieval.store.tenant_collections.collection_of", lambda _tenant, _dimension: "tenant_shared")
    monkeypatch.setattr(Scope, broken, lambda _scope, *_ids: "ordinal > -1")
    try:
        with pytest.raises(IsolationError):
            prove_isolation(store, DIMENSIONS)
    finally:
        store.drop("shared")


def test_a_row_from_outside_the_scope_fails_the_search(
    store: Store, embedder: SentenceEncoder, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(store, embedder, Scope(tenant, ("secret",)), TEXTS)
    monkeypatch.setattr(Scope, "embedded_chunks", lambda _scope, _embedder, _filter: "ordinal > -1")
    with pytest.raises(IsolationError, match=tenant):
        store.dense(Scope(tenant, ("kb",)), embedder.id, embedder.embed(["refund"])[0], 5)


def test_a_deletion_that_left_something_is_an_error(
    store: Store, embedder: SentenceEncoder, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = Scope(tenant, ("kb",))
    stored(store, embedder, scope, TEXTS)
    monkeypatch.setattr(MilvusClient, "delete", lambda *_, **__: None)
    with pytest.raises(StoreError, match="still counts 3 deleted rows"):
        store.delete(scope, scope.chunks())


def test_a_server_that_went_away_is_named_and_found_again_with_what_it_acknowledged(
    embedder: SentenceEncoder, tenant: str, tmp_path: Path
) -> None:
    port, scope = free_port(), Scope(tenant, ("kb",))
    store = Store(f"http://127.0.0.1:{port}", dimension=DIMENSIONS, timeout=3)
    with milvus_lite(tmp_path / "data", port):
        stored(store, embedder, scope, TEXTS)
    with pytest.raises(StoreError, match=f"127.0.0.1:{port}"):
        store.tenants()
    with milvus_lite(tmp_path / "data", port):
        wait_until(lambda: answers(store))
        assert store.count(scope, scope.chunks()) == len(TEXTS)
        assert len(store.lexical(scope, asked("refund"), 5)) == 1
    store.close()


def answers(store: Store) -> bool:
    try:
        return store.tenants() is not None
    except StoreError:
        return False


@pytest.mark.parametrize("message", ["[Errno 28] No space left on device", "write failed: [Errno 27] File too large"])
def test_a_full_disk_is_told_apart_from_a_broken_server(message: str) -> None:
    assert isinstance(translated(message, "upsert", "uri"), NoSpaceError)
    assert isinstance(translated("index broken", "upsert", "uri"), StoreError)


@pytest.mark.parametrize(
    ("uri", "content", "why"),
    [
        ("http://127.0.0.1:19530", "", "in plain text"),
        ("https://127.0.0.1:19530", None, "cannot be read"),
        ("https://127.0.0.1:19530", "no certificate", "cannot be read"),
    ],
)
def test_an_authority_that_protects_nothing_is_refused_by_name(
    tmp_path: Path, uri: str, content: str | None, why: str
) -> None:
    authority = tmp_path / "ca.crt"
    if content is not None:
        authority.write_text(content)
    with pytest.raises(StoreError, match=f"{authority}.*{why}|{why}.*{authority}"):
        Store(uri, ca=authority, dimension=DIMENSIONS).tenants()


def test_a_collection_of_another_release_is_said_to_be_one(
    store: Store, embedder: SentenceEncoder, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = Scope(tenant, ("kb",))
    stored(store, embedder, scope, TEXTS)
    monkeypatch.setattr(Scope, "embedded_chunks", lambda scope, _embedder, _filter: f"{scope.chunks()} and added == 1")
    with pytest.raises(StoreError, match="made by another release"):
        store.dense(scope, embedder.id, embedder.embed(["refund"])[0], 5)


def test_many_first_calls_open_one_connection(milvus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    open_client = MilvusClient.__init__

    def counted(client: MilvusClient, uri: str, **options: object) -> None:
        opened.append(uri)
        open_client(client, uri, **options)

    monkeypatch.setattr(MilvusClient, "__init__", counted)
    store = Store(milvus, dimension=DIMENSIONS, timeout=20)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _call: store.tenants(), range(8)))
    assert opened == [milvus]
    store.close()
