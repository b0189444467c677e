"""The life of documents, with a real store and embedder: made, changed, refused, deleted."""

import os
from functools import partial
from pathlib import Path

from contract.ingest import DesiredSource, DocumentState
from retrieval.bm25 import Statistics
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.ingest.jobs import MOST_MORE
from retrieval.scope import Scope
from retrieval.store import Store
from retrieval.store.names import collection_of
from tests.retrieval.chunks import stored
from tests.retrieval.conftest import collections_in, wait_until
from tests.retrieval.embedders import DIMENSIONS, WIDER, widened, with_recipe
from tests.retrieval.ingest.bench import Bench
from tests.retrieval.ingest.files import docx, encrypted_pdf, pdf
from tests.retrieval.ingest.test_parse import LIMITS
from tests.retrieval.test_store import asked


def test_a_document_becomes_searchable_and_is_then_called_ready(bench: Bench) -> None:
    bench.write(
        "a.txt", "The first plan has a price of nine euros.\n\nAnother paragraph about the second plan and its price."
    )
    bench.set_desired("docs")
    document = bench.document("a.txt")
    assert (document.state, document.chunks, document.reason) == (DocumentState.READY, 2, "")
    assert bench.status().ready
    assert len(bench.texts()) == 2


def test_what_searches_need_to_know_of_the_whole_follows_every_change(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.write("b.txt", "The second plan.")
    bench.set_desired("docs")
    assert bench.store.statistics_of(bench.scope) == {"docs": Statistics(2, {"the": 2, "plan": 2})}
    (bench.source / "a.txt").unlink()
    bench.settle()
    assert bench.store.statistics_of(bench.scope) == {"docs": Statistics(1, {})}


def test_passages_have_the_date_of_their_documents_version(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    os.utime(bench.source / "a.txt", (1_700_000_000, 1_700_000_000))
    bench.set_desired("docs")
    assert [hit.dated for hit in bench.hits(bench.scope)] == [1_700_000_000]
    bench.write("a.txt", "The second plan.")
    os.utime(bench.source / "a.txt", (1_750_000_000, 1_750_000_000))
    bench.settle()
    assert [hit.dated for hit in bench.hits(bench.scope)] == [1_750_000_000]


def test_a_time_in_the_future_is_no_date(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    os.utime(bench.source / "a.txt", (99_999_999_999, 99_999_999_999))
    bench.set_desired("docs")
    bench.now += 10
    bench.settle()
    assert [hit.dated for hit in bench.hits(bench.scope)] == [0]


def test_an_unchanged_document_is_not_embedded_again(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    bench.embedded.clear()
    bench.write("a.txt", "The first plan.")
    bench.restart()
    assert bench.document("a.txt").state is DocumentState.READY
    assert bench.embedded == []


def test_of_a_changed_document_only_the_new_text_is_embedded_and_the_old_is_gone(bench: Bench) -> None:
    kept = "The plan that is kept has nine words in it."
    bench.write("a.txt", f"{kept}\n\nThe plan that is replaced has nine words too.")
    bench.set_desired("docs")
    bench.embedded.clear()
    new = "The plan that is quite new has nine words."
    bench.write("a.txt", f"{kept}\n\n{new}")
    bench.settle()
    assert bench.texts() == [kept, new]
    assert bench.embedded == [new]


def test_a_removed_document_is_gone_from_status_and_store(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.write("b.txt", "The second plan.")
    bench.set_desired("docs")
    (bench.source / "a.txt").unlink()
    bench.settle()
    assert [document.path for document in bench.status().documents] == ["b.txt"]
    assert bench.texts() == ["The second plan."]


def test_bad_documents_say_why_and_the_rest_is_served(bench: Bench) -> None:
    bench.write("good.txt", "The good plan.")
    bench.write("good.docx", docx([("Normal", "The plan in Word.")]))
    bench.write("good.pdf", pdf(["The plan on paper."]))
    bench.write("empty.txt", b"")
    bench.write("locked.pdf", encrypted_pdf(["secret"], "password"))
    bench.write("broken.docx", b"PK\x03\x04")
    bench.write("sheet.numbers", b"cells")
    with (bench.source / "huge.pdf").open("wb") as huge:
        huge.truncate(200_000_000)
    bench.set_desired("docs")
    failed = {each.path: each.reason for each in bench.status().documents if each.state is DocumentState.FAILED}
    assert failed == {
        "empty.txt": "Empty",
        "locked.pdf": "Encrypted",
        "broken.docx": "Corrupt",
        "sheet.numbers": "Unsupported",
        "huge.pdf": "TooLarge",
    }
    assert "*.numbers" in bench.document("sheet.numbers").message
    assert all(each.message.startswith(f"{each.path}: ") for each in bench.status().documents if each.reason)
    assert bench.texts() == ["The good plan.", "The plan in Word.", "The plan on paper."]
    assert bench.status().ready


def test_a_document_that_turns_bad_is_not_searchable_by_what_it_said_before(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    bench.write("a.txt", b"")
    bench.settle()
    assert (bench.document("a.txt").reason, bench.document("a.txt").chunks) == ("Empty", 0)
    assert bench.texts() == []
    bench.write("a.txt", "The mended plan.")
    bench.settle()
    assert bench.texts() == ["The mended plan."]


def test_another_chunk_size_cuts_the_same_content_anew(bench: Bench) -> None:
    bench.write("a.txt", " ".join(f"Sentence {number} of the plan has several words in it." for number in range(6)))
    bench.set_desired("docs")
    assert bench.document("a.txt").chunks == 1
    bench.set_desired("docs", chunk_tokens=16)
    bench.now += 10
    bench.settle()
    assert bench.document("a.txt").chunks > 2


def test_a_missing_source_is_a_message_and_keeps_what_was_indexed(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    bench.source.rename(bench.folder / "away")
    bench.settle()
    assert "cannot be read (No such file or directory)" in bench.status().message
    assert not bench.status().ready
    assert bench.texts() == ["The first plan."]
    (bench.folder / "away").rename(bench.source)
    bench.settle()
    assert (bench.status().message, bench.status().ready) == ("", True)


def test_over_its_limit_of_files_edits_and_deletions_are_followed(bench: Bench) -> None:
    bench.write("price.txt", "The plan costs 10 euros.")
    bench.write("gone.txt", "The plan that ends.")
    bench.set_desired("docs")
    for number in range(LIMITS.files):
        bench.write(f"a{number:04}.txt", f"The plan {number}.")
    bench.write("price.txt", "The plan costs 20 euros.")
    (bench.source / "gone.txt").unlink()
    bench.now += 10
    bench.settle()
    assert [hit.text for hit in bench.store.lexical(bench.scope, asked("costs"), 5)] == ["The plan costs 20 euros."]
    assert bench.store.lexical(bench.scope, asked("ends"), 5) == []
    assert len(bench.status().documents) == LIMITS.files
    assert not bench.status().ready
    assert f"has {LIMITS.files + 1} files, over {LIMITS.files}: 1 new ones are not" in bench.status().message
    assert f"a{LIMITS.files - 1:04}.txt" not in {document.path for document in bench.status().documents}


def test_a_source_that_left_the_spec_is_deleted_while_another_cannot_be_read(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    other = bench.folder / "other"
    other.mkdir()
    (other / "b.txt").write_text("The other plan.")
    both = [DesiredSource(path=str(path)) for path in (bench.source, other)]
    bench.set_desired("docs", sources=both)
    other.rename(bench.folder / "away")
    bench.set_desired("docs", sources=both[1:])
    assert bench.texts() == ["The other plan."]
    assert "cannot be read" in bench.status().message


def test_an_edit_is_indexed_before_new_files(bench: Bench) -> None:
    bench.write("price.txt", "The plan costs 10 euros.")
    bench.set_desired("docs")
    for number in range(9):
        bench.write(f"a{number}.txt", f"The plan {number}.")
    bench.write("price.txt", "The plan costs 20 euros.")
    bench.now += 10
    bench.worker.look()
    while "The plan costs 20 euros." not in bench.texts():
        bench.worker.turn()
    # Those in work beside it may be done before it.
    others = [
        document.path for document in bench.status().documents if document.chunks and document.path != "price.txt"
    ]
    assert len(others) <= MOST_MORE


def test_a_knowledge_base_without_documents_is_known_and_ready(bench: Bench) -> None:
    bench.set_desired("docs")
    assert bench.status().ready
    assert set(bench.store.statistics_of(bench.scope)) == {"docs"}


def test_a_knowledge_base_that_is_no_longer_wanted_is_gone_and_with_the_last_its_tenant(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs", "faq")
    both = Scope(bench.tenant, ("docs", "faq"))
    assert bench.store.count(both, both.chunks()) == 2
    bench.set_desired("faq")
    assert set(bench.store.statistics_of(both)) == {"faq"}
    assert bench.store.count(both, both.chunks()) == 1
    bench.worker.set_desired([])
    bench.settle()
    assert bench.tenant not in bench.store.tenants()
    assert bench.worker.status() == []
    assert bench.ledger.documents(bench.tenant, "faq") == []


def test_another_embedder_embeds_every_document_again_and_words_find_them_meanwhile(
    bench: Bench, model: Path, tmp_path: Path
) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    other = with_recipe(model, tmp_path / "other", passage_prefix="passage: ")
    bench.embedder, question = other, other.embed_queries(["The first plan."])[0]
    assert bench.store.dense(bench.scope, other.id, question, 5) == []
    assert bench.texts() == ["The first plan."]
    bench.restart()
    assert [hit.text for hit in bench.store.dense(bench.scope, other.id, question, 5)] == ["The first plan."]
    assert bench.texts() == ["The first plan."]


def test_an_embedder_of_another_size_takes_over_document_by_document(
    bench: Bench, model: Path, tmp_path: Path, milvus: str
) -> None:
    for name in ("a", "b"):
        bench.write(f"{name}.txt", f"The plan {name}.")
    bench.set_desired("docs")
    before = bench.store.statistics_of(bench.scope)
    earlier, bench.embedder = bench.store, SentenceEncoder(widened(model, tmp_path / "wider"))
    bench.store = Store(milvus, dimension=WIDER, timeout=20)
    question = bench.embedder.embed_queries(["The plan a."])[0]
    assert bench.texts() == ["The plan a.", "The plan b."]  # by their words, before anything is embedded again
    assert bench.store.statistics_of(bench.scope) == before
    assert bench.store.dense(bench.scope, bench.embedder.id, question, 5) == []
    (bench.source / "b.txt").unlink()
    bench.restart()
    assert [hit.text for hit in bench.store.dense(bench.scope, bench.embedder.id, question, 5)] == ["The plan a."]
    assert bench.texts() == ["The plan a."]
    wait_until(lambda: [hit.text for hit in earlier.lexical(bench.scope, asked("plan"), 5)] == ["The plan a."])
    bench.now += 3_600
    bench.settle()
    assert collection_of(bench.tenant, DIMENSIONS) not in collections_in(milvus)
    assert bench.texts() == ["The plan a."]
    assert set(bench.store.statistics_of(bench.scope)) == {"docs"}
    bench.worker.set_desired([])
    bench.settle()
    assert bench.tenant not in bench.store.tenants()
    bench.store.close()


def test_a_knowledge_base_leaves_beside_one_that_is_kept_after_a_change_of_size(
    bench: Bench, model: Path, tmp_path: Path, milvus: str
) -> None:
    bench.write("a.txt", "The plan a.")
    bench.set_desired("docs", "other")
    bench.embedder = SentenceEncoder(widened(model, tmp_path / "wider"))
    bench.store = Store(milvus, dimension=WIDER, timeout=20)
    bench.ledger.close()
    bench.open()
    bench.set_desired("docs", kept=True, sources=[])
    other = Scope(bench.tenant, ("other",))
    assert bench.store.count(other, other.filter()) == 0
    assert bench.texts() == ["The plan a."]
    assert bench.ledger.leaving() == []
    bench.store.close()


def test_documents_of_two_sizes_are_deleted_and_counted_together(
    bench: Bench, model: Path, tmp_path: Path, milvus: str
) -> None:
    bench.write("a.txt", "The plan a.")
    bench.set_desired("docs")
    wider = Store(milvus, dimension=WIDER, timeout=20)
    embedder = SentenceEncoder(widened(model, tmp_path / "wider"))
    stored(wider, embedder, bench.scope, ["The plan b."])
    for store in (bench.store, wider):
        wait_until(partial(_has_chunks, store, bench.scope, 2))
    wider.delete(bench.scope, bench.scope.filter())
    assert bench.store.count(bench.scope, bench.scope.filter()) == 0
    wider.drop(bench.tenant)
    assert bench.tenant not in bench.store.tenants()
    wider.close()


def _has_chunks(store: Store, scope: Scope, count: int) -> bool:
    return store.count(scope, scope.chunks()) == count
