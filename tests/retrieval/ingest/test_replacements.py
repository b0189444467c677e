"""A document is replaced once the new one answers, with a real store and embedder."""

from dataclasses import replace

import pytest

from retrieval.documents.deletion_proofs import DeletionProofs
from retrieval.documents.entries import Entry
from retrieval.documents.index_wait import IndexWait
from retrieval.documents.pages import Window
from retrieval.documents.replacements import Replacements
from retrieval.documents.signing import Signer
from retrieval.documents.store_library import StoreLibrary
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


def test_who_goes_back_to_the_first_version_keeps_it(bench: Bench, replacements: Replacements) -> None:
    first, second = bench.upload("a.txt", "One."), bench.upload("a2.txt", "Two.")
    store = bench.library.create(bench.tenant, Draft(), [first.id])
    bench.library.attach(store, second.id, {})
    replacements.add(store, second.id, [first.id])
    replacements.add(store, first.id, [second.id])
    bench.settle()
    replacements.finish()
    bench.settle()
    assert _texts(bench, store) == ["One."]


def test_of_three_versions_the_last_one_stays_whichever_is_ready_first(
    bench: Bench, replacements: Replacements, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [bench.upload(f"{number}.txt", f"Version {number}.") for number in range(3)]
    store = bench.library.create(bench.tenant, Draft(), [file.id for file in files])
    replacements.add(store, files[1].id, [files[0].id])
    replacements.add(store, files[2].id, [files[1].id])
    bench.settle()
    ready, entry = {files[2].id}, StoreLibrary.entry

    def delayed(library: StoreLibrary, of: VectorStore, file_id: str) -> Entry:
        found = entry(library, of, file_id)
        return found if file_id in ready else replace(found, status="in_progress")

    monkeypatch.setattr(StoreLibrary, "entry", delayed)
    for _ in range(2):
        replacements.finish()
        bench.settle()
    assert _names(bench, store) == ["2.txt"]


def test_the_same_files_are_replaced_in_each_store(bench: Bench, replacements: Replacements) -> None:
    old, new = bench.upload("a.txt", "One."), bench.upload("b.txt", "Two.")
    stores = [bench.library.create(bench.tenant, Draft(), [old.id, new.id]) for _ in range(2)]
    for store in stores:
        replacements.add(store, new.id, [old.id])
    bench.settle()
    replacements.finish()
    bench.settle()
    assert [_names(bench, store) for store in stores] == [["b.txt"]] * 2


def test_documents_are_listed_by_a_part_of_their_names(bench: Bench, replacements: Replacements) -> None:
    files = [bench.upload(name, name) for name in ("Price_list.txt", "prices 100%.txt", "office.txt")]
    store = bench.library.create(bench.tenant, Draft(), [file.id for file in files])

    def listed(name: str) -> list[str]:
        return sorted(entry.name for entry in bench.library.entries(store, Window(), None, name).items)

    assert listed("PRICE") == ["Price_list.txt", "prices 100%.txt"]
    assert listed("%") == ["prices 100%.txt"]
    assert listed("_") == ["Price_list.txt"]
    assert listed("nothing") == []
