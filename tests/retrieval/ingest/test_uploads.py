"""Uploaded files as documents, with a real store and embedder."""

from dataclasses import replace

from retrieval.documents import files
from retrieval.documents.vector_stores import Draft
from retrieval.scope import Scope
from tests.retrieval.ingest.bench import Bench


def test_passages_of_an_upload_have_its_date(bench: Bench) -> None:
    bench.set_tenant()
    file = bench.upload("plan.txt", "The plan.")
    store = bench.library.create(bench.tenant, Draft(), [file.id])
    bench.settle()
    hits = bench.hits(Scope(bench.tenant, (store.knowledge_base,)))
    assert [hit.dated for hit in hits] == [file.created // 1_000_000]


def test_a_web_page_is_as_old_as_its_content(bench: Bench) -> None:
    bench.set_tenant()
    file = bench.upload("page.html", "The plan.")
    with bench.database.writes() as connection:
        files.set_content(connection, file.id, 9, "another digest")
    assert bench.files.get(bench.tenant, file.id).created > file.created


def test_an_upload_over_a_limit_that_was_lowered_since_is_refused_whole(bench: Bench) -> None:
    bench.set_tenant()
    file = bench.upload("long.txt", "The plan. " * 20)
    store = bench.library.create(bench.tenant, Draft(), [file.id])
    bench.limits = replace(bench.limits, file_bytes=file.size - 1)
    bench.restart()
    entry = bench.library.entry(store, file.id)
    assert entry.status == "failed"
    assert entry.fault is not None
    assert "over the limit of 199" in entry.fault.message
    assert not bench.store.texts(Scope(bench.tenant, (store.knowledge_base,)), file.id)
    bench.limits = replace(bench.limits, file_bytes=file.size)
    bench.restart()
    assert bench.library.entry(store, file.id).status == "completed"
