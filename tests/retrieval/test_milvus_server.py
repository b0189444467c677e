"""The store on a real Milvus server: users, roles, encryption, kills, a full disk. It has no sparse vectors."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import trustme
from pymilvus import MilvusClient

from contract.search import Outcome, SearchRequest
from retrieval.bm25 import query_vector
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.embedding.vectors import Vectors
from retrieval.errors import NoSpaceError, StoreError
from retrieval.scope import Scope
from retrieval.search import Search
from retrieval.store import Chunk, Reads, Store
from retrieval.store.names import Tenancy, collection_of
from retrieval.store.probe import prove_isolation
from retrieval.store.rows import identifier, unread
from tests.disk import fill, small_disk
from tests.retrieval.chunks import stored
from tests.retrieval.conftest import wait_until
from tests.retrieval.embedders import DIMENSIONS
from tests.retrieval.milvus_server import ROOT, MilvusServer, milvus_server
from tests.retrieval.test_scope import HOSTILE

MEGABYTES = 200  # a disk on which a server starts
TEXTS = ("The refund window is 30 days.", "Support answers within two hours.", "환불 기간은 30일입니다.")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    server = milvus_server(tmp_path_factory.mktemp("milvus-server"))
    with server.running():
        yield server


@pytest.fixture(scope="module")
def server_store(server: MilvusServer) -> Iterator[Store]:
    store = Store(server.uri, token=ROOT, dimension=DIMENSIONS, timeout=20)
    yield store
    store.close()


def test_a_server_that_isolates_passes_the_probe_and_keeps_nothing_of_it(server_store: Store) -> None:
    prove_isolation(server_store, DIMENSIONS)
    assert not any(tenant.startswith("QUIVER-PROBE") for tenant in server_store.tenants())


def test_one_collection_for_all_tenants_isolates_them_too(
    server: MilvusServer, embedder: SentenceEncoder, tenant: str
) -> None:
    store = Store(server.uri, token=ROOT, dimension=DIMENSIONS, timeout=20, tenancy=Tenancy.SHARED)
    prove_isolation(store, DIMENSIONS)
    names = (tenant, f"{tenant}-other")
    for name in names:
        stored(store, embedder, Scope(name, ("kb",)), [f"The plan of {name}."])
    vector = embedder.embed(["plan"])[0]
    for name in names:
        scope = Scope(name, ("kb",))
        assert store.count(scope, scope.chunks()) == 1
        wait_until(partial(_is_alone, store, scope, embedder.id, vector))
    store.drop(names[0])
    assert store.tenants() & set(names) == {names[1]}
    store.drop(names[1])
    store.close()


def test_what_is_left_in_a_collection_that_is_not_loaded_is_counted(
    server: MilvusServer, server_store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    """As after a kill between its making and its loading."""
    scope = Scope(tenant, ("kb",))
    stored(server_store, embedder, scope, TEXTS)
    client = MilvusClient(server.uri, token=ROOT)
    client.release_collection(collection_of(tenant, DIMENSIONS))
    client.close()
    shared = Store(server.uri, token=ROOT, dimension=DIMENSIONS, timeout=20, tenancy=Tenancy.SHARED)
    shared.create(scope)
    assert shared.count(scope, scope.chunks()) == len(TEXTS)
    shared.drop(tenant)
    shared.close()


def _is_alone(store: Store, scope: Scope, embedder: str, vector: Vectors) -> bool:
    """A search may be half a second behind, and never finds another tenant's."""
    texts = [hit.text for hit in store.dense(scope, embedder, vector, 20)]
    assert set(texts) <= {f"The plan of {scope.tenant}."}
    return bool(texts)


async def test_questions_are_answered_by_meaning_alone(
    server_store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    scope = Scope(tenant, ("kb",))
    await asyncio.to_thread(stored, server_store, embedder, scope, TEXTS)
    assert await asyncio.to_thread(server_store.count, scope, scope.chunks()) == len(TEXTS)
    search = Search(server_store, embedder, cached=10, pool=10)

    async def answer(question: str) -> tuple[Outcome, list[str]]:
        response = await search.answer(SearchRequest(tenant=tenant, knowledge_bases=["kb"], query=question))
        return response.outcome, [item.text for item in response.evidence]

    assert await answer("How many days is the refund window?") == (Outcome.EVIDENCE, [TEXTS[0], TEXTS[1]])
    assert await answer("환불 기간은 며칠입니까?") == (Outcome.NO_HITS, [])
    assert await asyncio.to_thread(server_store.lexical, scope, query_vector({"refund": 1.0}), 5) == []


def test_hostile_names_lead_to_their_own_chunks_alone(
    server_store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    scopes = [Scope(tenant, (name,)) for name in HOSTILE]
    for scope in scopes:
        stored(server_store, embedder, scope, [f"The plan of {scope.knowledge_bases[0]}."])
    vector = embedder.embed(["plan"])[0]
    for scope in scopes:
        assert server_store.count(scope, scope.chunks()) == 1
        assert [hit.knowledge_base for hit in server_store.dense(scope, embedder.id, vector, 20)] == list(
            scope.knowledge_bases
        )
        assert set(server_store.statistics_of(scope)) == set(scope.knowledge_bases)


def test_deleted_chunks_are_gone_and_those_of_another_tenant_are_not(
    server_store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    ours, theirs = Scope(tenant, ("kb",)), Scope(f"{tenant}-b", ("kb",))
    for scope in (ours, theirs):
        stored(server_store, embedder, scope, TEXTS)
    server_store.delete(ours, ours.chunks())
    assert [server_store.count(scope, scope.chunks()) for scope in (ours, theirs)] == [0, len(TEXTS)]
    server_store.drop(tenant)
    assert tenant not in server_store.tenants()
    assert f"{tenant}-b" in server_store.tenants()


@pytest.mark.parametrize("token", ["root:wrong", "", "nobody:Milvus"])
def test_a_wrong_password_is_named(server: MilvusServer, token: str) -> None:
    with pytest.raises(StoreError, match="accepts the configured token"):
        Store(server.uri, token=token, dimension=DIMENSIONS).tenants()


def test_a_user_who_may_only_read_searches_and_writes_nothing(
    server: MilvusServer, server_store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    scope = Scope(tenant, ("kb",))
    stored(server_store, embedder, scope, TEXTS)
    server_store.count(scope, scope.chunks())
    reader = _reader(server)
    vector = embedder.embed(["money back"])[0]
    wait_until(partial(_may_search, reader, scope, vector))
    assert reader.dense(scope, embedder.id, vector, 1)[0].text == TEXTS[0]
    with pytest.raises(StoreError, match="permission deny"):
        stored(reader, embedder, scope, ["A forged passage."])
    with pytest.raises(StoreError, match="permission deny"):
        reader.delete(scope, scope.chunks())
    with pytest.raises(StoreError, match="permission deny"):
        reader.drop(tenant)
    assert server_store.count(scope, scope.chunks()) == len(TEXTS)
    reader.close()


def _may_search(store: Store, scope: Scope, vector: Vectors) -> bool:
    """A server takes up new privileges a moment later."""
    try:
        store.dense(scope, "any", vector, 1)
    except StoreError:
        return False
    return True


def _reader(server: MilvusServer) -> Store:
    """A store as the user of the query path: it reads."""
    admin = MilvusClient(server.uri, token=ROOT)
    admin.create_user("search", "a-password-of-the-test")
    admin.create_role("readers")
    for privilege in ("Search", "Query", "Load", "GetLoadState", "GetLoadingProgress"):
        admin.grant_privilege("readers", "Collection", privilege, "*")
    for privilege in ("DescribeCollection", "ShowCollections"):
        admin.grant_privilege("readers", "Global", privilege, "*")
    admin.grant_role("search", "readers")
    admin.close()
    return Store(server.uri, token="search:a-password-of-the-test", dimension=DIMENSIONS, timeout=20)


def test_a_killed_server_is_named_and_has_what_it_acknowledged(
    embedder: SentenceEncoder, tenant: str, tmp_path: Path
) -> None:
    server, scope = milvus_server(tmp_path), Scope(tenant, ("kb",))
    store = Store(server.uri, token=ROOT, dimension=DIMENSIONS, timeout=20)
    with server.running():
        stored(store, embedder, scope, TEXTS)
    with pytest.raises(StoreError, match=f"127.0.0.1:{server.port}"):
        store.tenants()
    with server.running():
        wait_until(lambda: _counted(store, scope) == len(TEXTS), seconds=120)
    store.close()


def _counted(store: Store, scope: Scope) -> int | None:
    try:
        return store.count(scope, scope.chunks())
    except StoreError:
        return None


def test_a_server_with_a_certificate_of_a_private_authority_is_verified(tmp_path: Path, tenant: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = milvus_server(tmp_path / "server", certificate=authority.issue_cert("localhost"))
    trusting, others = (
        Store(f"https://localhost:{server.port}", token=ROOT, ca=ca, dimension=DIMENSIONS, reads=Reads.CURRENT)
        for ca in (tmp_path / "ca.pem", None)
    )
    with server.running():
        with pytest.raises(StoreError, match=f"localhost:{server.port}"):
            others.tenants()
        with pytest.raises(StoreError, match=f"127.0.0.1:{server.port}"):
            Store(server.uri, token=ROOT, dimension=DIMENSIONS).tenants()
        trusting.create(Scope(tenant, ("kb",)))
        assert trusting.knowledge_bases(tenant) == {"kb"}
    trusting.close()


def test_a_server_with_a_full_disk_has_what_it_acknowledged_once_there_is_room(tenant: str, tmp_path: Path) -> None:
    server, scope = milvus_server(tmp_path), Scope(tenant, ("kb",))
    store = Store(server.uri, token=ROOT, dimension=DIMENSIONS, timeout=20)
    with small_disk(tmp_path / "data", MEGABYTES):
        with server.running() as process:
            store.create(scope)
            acknowledged = _store_page(store, scope, 0)
            filler = fill(tmp_path / "data")
            acknowledged += _store_until_refused(store, scope)
            process.kill()
        filler.unlink()
        with server.running():
            wait_until(lambda: _counted(store, scope) is not None, seconds=120)
            assert store.count(scope, scope.chunks_by_id(acknowledged)) == len(acknowledged)
    store.close()


def _store_until_refused(store: Store, scope: Scope) -> list[str]:
    """The ids of the chunks that the server acknowledged before it refused, or ended."""
    acknowledged: list[str] = []
    for page in range(1, 200):
        try:
            acknowledged += _store_page(store, scope, page)
        except (NoSpaceError, StoreError):
            return acknowledged
    pytest.fail("a full disk refused nothing")


def _store_page(store: Store, scope: Scope, page: int) -> list[str]:
    """The ids of the stored chunks, a megabyte in all."""
    chunks = [_large_chunk(f"{page}-{number}") for number in range(50)]
    store.upsert(scope, chunks)
    return [chunk.id for chunk in chunks]


def _large_chunk(name: str) -> Chunk:
    return Chunk(
        id=identifier(name), knowledge_base="kb", document_id="large", document="large.txt", file_id="", attributes={},
        version="1", dated=0, ordinal=0, page=0, heading="", text="x" * 20_000, terms=("x",), content=name,
        embedder="e", dense=unread(DIMENSIONS),
    )  # fmt: skip
