"""A document is replaced once the new one answers, with a real store and embedder."""

import pytest

from retrieval.documents.deletion_proofs import DeletionProofs
from retrieval.documents.index_wait import IndexWait
from retrieval.documents.pages import Window
from retrieval.documents.replacements import Replacements
from retrieval.documents.signing import Signer
from retrieval.documents.vector_stores import Draft, VectorStore
from retrieval.scope import Scope
from tests.retrieval.ingest.bench import Bench


@pytest.fixture
def replacements(bench: Bench) -> Replacements:
    bench.set_tenant()
    return _replacements(bench)


def _replacements(bench: Bench) -> Replacements:
    proofs = DeletionProofs(
        bench.database, bench.blobs, IndexWait(bench.store, bench.ledger), Signer(bench.folder / "signing.pem")
    )
    return Replacements(bench.database, bench.library, bench.files, proofs)


def _names(bench: Bench, store: VectorStore) -> list[str]:
    return sorted(entry.name for entry in bench.library.entries(store, Window(), None).items)


def _texts(bench: Bench, store: VectorStore) -> list[str]:
    scope, entries = Scope(bench.tenant, (store.knowledge_base,)), bench.library.entries(store, Window(), None).items
    return sorted(text for entry in entries for text in bench.store.texts(scope, entry.file_id))


def _replaced(bench: Bench, replacements: Replacements, new_text: str) -> VectorStore:
    """A store with a document and its new version, which is not indexed yet."""
    old = bench.upload("old.txt", "It costs 12 dollars.")
    store = bench.library.create(bench.tenant, Draft(), [old.id])
    bench.settle()
    new = bench.upload("new.txt", new_text)
    bench.library.attach(store, new.id, {})
    replacements.add(store, new.id, [old.id])
    return store


def test_the_old_one_answers_until_the_new_one_does(bench: Bench, replacements: Replacements) -> None:
    store = _replaced(bench, replacements, "It costs 15 dollars.")
    replacements.finish()
    assert _texts(bench, store) == ["It costs 12 dollars."]
    bench.settle()
    replacements.finish()
    bench.settle()
    assert _texts(bench, store) == ["It costs 15 dollars."]
    assert _names(bench, store) == ["new.txt"]


def test_a_replacement_goes_on_after_a_crash(bench: Bench, replacements: Replacements) -> None:
    store = _replaced(bench, replacements, "It costs 15 dollars.")
    bench.restart()
    _replacements(bench).finish()
    bench.settle()
    assert _names(bench, store) == ["new.txt"]


def test_where_the_new_one_fails_the_old_one_stays(bench: Bench, replacements: Replacements) -> None:
    store = _replaced(bench, replacements, "")
    bench.settle()
    replacements.finish()
    assert _names(bench, store) == ["new.txt", "old.txt"]
    assert _texts(bench, store) == ["It costs 12 dollars."]


def test_only_documents_of_the_same_store_are_replaced(bench: Bench, replacements: Replacements) -> None:
    shared, new = bench.upload("a.txt", "One."), bench.upload("b.txt", "Two.")
    store, other = (bench.library.create(bench.tenant, Draft(), [shared.id]) for _ in range(2))
    bench.library.attach(store, new.id, {})
    replacements.add(store, new.id, [shared.id, new.id, "file-gone"])
    bench.settle()
    replacements.finish()
    bench.settle()
    assert _names(bench, store) == ["b.txt"]
    assert _texts(bench, other) == ["One."]


def test_documents_are_listed_by_a_part_of_their_names(bench: Bench, replacements: Replacements) -> None:
    files = [bench.upload(name, name) for name in ("Price_list.txt", "prices 100%.txt", "office.txt")]
    store = bench.library.create(bench.tenant, Draft(), [file.id for file in files])

    def listed(name: str) -> list[str]:
        return sorted(entry.name for entry in bench.library.entries(store, Window(), None, name).items)

    assert listed("PRICE") == ["Price_list.txt", "prices 100%.txt"]
    assert listed("%") == ["prices 100%.txt"]
    assert listed("_") == ["Price_list.txt"]
    assert listed("nothing") == []
