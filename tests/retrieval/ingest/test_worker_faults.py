"""Faults of the store, of sources and of documents, and crashes, with a real store and embedder."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contract.ingest import DesiredKnowledgeBase, DesiredSource, DocumentState
from retrieval.errors import DocumentUnavailableError, EmbedderError, NoSpaceError, StoreError
from retrieval.ingest.departure import Departure
from retrieval.ingest.ledger import Document
from retrieval.ingest.pipeline import Pipeline
from retrieval.ingest.scanner import COMPARE_SECONDS, Scanner
from retrieval.ingest.term_statistics import TermStatistics
from retrieval.ingest.worker import Worker
from retrieval.scope import Scope
from retrieval.store import KnowledgeBaseRow
from tests.retrieval.ingest.bench import Bench
from tests.retrieval.ingest.test_parse import LIMITS
from tests.retrieval.test_store import asked


class CrashError(BaseException):
    """As if the process had ended there: nothing catches it."""


WHERE = ("create", "upsert", "count_existing", "delete", "publish", "after upsert", "after delete", "after publish",
         "parse", "embed", "third put")  # fmt: skip
BEFORE = "The plan as it was before."


# Nothing is deleted of a document that was never written.
@pytest.mark.parametrize(
    ("where", "before"), [*((where, BEFORE) for where in WHERE), *((w, None) for w in WHERE if "delete" not in w)]
)
def test_a_crash_anywhere_is_made_good_after_a_restart(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, where: str, before: str | None
) -> None:
    if before is not None:
        bench.write("a.txt", before)
        bench.set_desired("docs")
    bench.write(
        "a.txt", "The plan as it is now, in a sentence.\n\nThe second paragraph of the same plan, with a price."
    )
    bench.ledger.close()
    bench.open()
    crash(bench, monkeypatch, where)
    with pytest.raises(CrashError):
        bench.set_desired("docs")
    monkeypatch.undo()
    bench.restart()
    assert bench.texts() == [
        "The plan as it is now, in a sentence.",
        "The second paragraph of the same plan, with a price.",
    ]
    assert (bench.document("a.txt").state, bench.document("a.txt").chunks) == (DocumentState.READY, 2)
    assert bench.store.count(bench.scope, bench.scope.chunks()) == 2
    assert bench.store.statistics_of(bench.scope)["docs"].chunks == 2


def crash(bench: Bench, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Let one call raise, or do its work and then raise."""
    done, calls = where.removeprefix("after ") if where.startswith("after ") else "", [0]

    def crashing(call: Callable[..., object], at: int = 1) -> Callable[..., object]:
        def wrapper(*arguments: object, **options: object) -> object:
            calls[0] += 1
            if calls[0] < at:
                return call(*arguments, **options)
            if done:
                call(*arguments, **options)
            raise CrashError

        return wrapper

    if where == "parse":
        monkeypatch.setattr("retrieval.ingest.pipeline.parse", crashing(lambda: None))
    elif where == "embed":
        monkeypatch.setattr(bench.embedder, "embed", crashing(lambda: None))
    elif where == "third put":
        monkeypatch.setattr(bench.ledger, "put", crashing(bench.ledger.put, at=3))
    else:
        name = done or where
        monkeypatch.setattr(bench.store, name, crashing(getattr(bench.store, name)))


def test_chunks_that_the_store_lost_are_made_again_and_strangers_removed(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    document = bench.ledger.documents(bench.tenant, "docs")[0]
    bench.store.drop(bench.tenant)
    bench.restart()
    assert bench.texts() == ["The first plan."]
    bench.ledger.remove(document.id)
    (bench.source / "a.txt").unlink()
    bench.restart()
    assert bench.texts() == []


def test_chunks_that_the_store_loses_meanwhile_are_missed_and_made_again(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    bench.store.drop(bench.tenant)
    bench.settle()
    bench.now += COMPARE_SECONDS
    bench.settle()
    assert bench.texts() == ["The first plan."]
    assert set(bench.store.statistics_of(bench.scope)) == {"docs"}


def test_a_lost_ledger_is_rebuilt_by_looking(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    bench.ledger.close()
    for file in bench.folder.glob("ledger.db*"):
        file.unlink()
    bench.open()
    bench.set_desired("docs")
    assert bench.document("a.txt").state is DocumentState.READY
    assert bench.texts() == ["The first plan."]


def test_after_a_lost_ledger_what_is_no_longer_wanted_is_deleted_once_a_desired_set_came(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs", "faq")
    other = Scope(f"{bench.tenant}-gone", ("docs",))
    bench.store.create(other)
    bench.ledger.close()
    for file in bench.folder.glob("ledger.db*"):
        file.unlink()
    bench.open()
    bench.settle()
    assert {bench.tenant, other.tenant} <= bench.store.tenants()
    bench.set_desired("docs")
    assert other.tenant not in bench.store.tenants()
    assert bench.store.knowledge_bases(bench.tenant) == {"docs"}
    assert bench.texts() == ["The first plan."]


def test_a_failure_of_one_knowledge_base_is_told_of_it_alone_and_passes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write("a.txt", "The first plan.")
    compare = Scanner._compare

    def failing(scanner: Scanner, wanted: DesiredKnowledgeBase, scope: Scope) -> None:
        if wanted.name == "broken":
            raise StoreError("Its rows cannot be read.")
        compare(scanner, wanted, scope)

    monkeypatch.setattr(Scanner, "_compare", failing)
    bench.set_desired("broken", "docs")
    broken, docs = bench.worker.status()
    assert (broken.ready, broken.message) == (False, f"{bench.tenant}/broken: Its rows cannot be read.")
    assert (docs.ready, docs.message) == (True, "")
    monkeypatch.undo()
    bench.settle()
    assert not bench.worker.status()[0].ready
    bench.now += 2
    bench.settle()
    assert all(each.ready for each in bench.worker.status())


def test_a_knowledge_base_that_cannot_be_deleted_or_tidied_stops_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs", "leaving", "untidy")
    leave, renew = Departure.leave, TermStatistics.renew

    def failing(departure: Departure, tenant: str, name: str) -> None:
        if name == "leaving":
            raise ValueError(name)
        leave(departure, tenant, name)

    def failing_too(statistics: TermStatistics, key: tuple[str, str]) -> None:
        if key[1] == "untidy":
            raise StoreError("It cannot be flushed.")
        renew(statistics, key)

    monkeypatch.setattr(Departure, "leave", failing)
    monkeypatch.setattr(TermStatistics, "renew", failing_too)
    bench.write("a.txt", "The mended plan.")
    bench.set_desired("docs", "untidy")
    docs, untidy = bench.worker.status()
    assert (docs.ready, untidy.ready) == (True, False)
    assert "It cannot be flushed." in untidy.message
    assert bench.texts() == ["The mended plan."]
    monkeypatch.undo()
    bench.now += 2
    bench.settle()
    assert bench.store.knowledge_bases(bench.tenant) == {"docs", "untidy"}
    assert all(each.ready for each in bench.worker.status())


def test_a_mistyped_path_takes_nothing_away_and_a_right_one_does(bench: Bench) -> None:
    bench.write("a.txt", "The plan costs 5 dollars.")
    bench.set_desired("docs")
    bench.set_desired("docs", sources=[DesiredSource(path=str(bench.folder / "sourse"))])
    assert bench.texts() == ["The plan costs 5 dollars."]
    assert "sourse cannot be read" in bench.status().message
    other = bench.folder / "other"
    other.mkdir()
    (other / "b.txt").write_text("The plan costs 6 dollars.")
    bench.set_desired("docs", sources=[DesiredSource(path=str(other))])
    assert bench.texts() == ["The plan costs 6 dollars."]


def test_a_store_that_goes_away_during_a_look_stops_the_worker_and_not_each_knowledge_base(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.set_desired("docs")

    def away(*_arguments: object) -> None:
        monkeypatch.setattr(bench.store, "ping", away)
        raise StoreError("Milvus is away.")

    monkeypatch.setattr(bench.store, "count", away)
    bench.now += COMPARE_SECONDS
    with pytest.raises(StoreError, match="away"):
        bench.settle()
    assert bench.status().message == ""


def test_a_knowledge_base_that_is_wanted_again_while_it_is_deleted_is_indexed_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs", "faq")
    (docs, faq), delete = bench.ledger.desired(), bench.store.delete

    def wanted_again(scope: Scope, filter_: str) -> None:
        delete(scope, filter_)
        bench.ledger.set_desired([docs, faq])

    monkeypatch.setattr(bench.store, "delete", wanted_again)
    bench.set_desired("faq")
    monkeypatch.undo()
    bench.settle()
    assert [each.name for each in bench.worker.status()] == ["docs", "faq"]
    assert all(each.ready for each in bench.worker.status())
    assert bench.texts() == ["The first plan."]


def test_the_sources_are_looked_at_by_the_clock_whatever_was_noticed(bench: Bench) -> None:
    bench.set_desired("docs")
    bench.write("a.txt", "The first plan.")
    assert bench.worker.turn() > 0
    assert bench.status().documents == []
    bench.now += 5
    bench.worker.turn()
    assert [document.path for document in bench.status().documents] == ["a.txt"]


def test_a_clock_that_is_set_back_does_not_stop_the_looking(bench: Bench) -> None:
    bench.set_desired("docs")
    bench.write("a.txt", "The first plan.")
    bench.now -= 10_000
    bench.worker.turn()
    assert [document.path for document in bench.status().documents] == ["a.txt"]


def test_a_knowledge_base_with_other_sources_is_not_ready_before_they_were_looked_at(bench: Bench) -> None:
    bench.set_desired("docs")
    assert bench.status().ready
    other = DesiredKnowledgeBase(tenant=bench.tenant, name="docs", sources=[DesiredSource(path=str(bench.folder))])
    bench.worker.set_desired([other])
    assert (bench.status().ready, bench.status().message) == (False, "")
    bench.settle()
    assert bench.status().ready


@pytest.mark.parametrize("reason", ["Interrupted", "Unreadable"])
def test_what_the_machine_prevents_keeps_the_chunks_of_before_and_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")

    def failing(*_arguments: object) -> None:
        raise DocumentUnavailableError(reason, "its parser was killed: it is tried again")

    monkeypatch.setattr("retrieval.ingest.pipeline.parse", failing)
    bench.write("a.txt", "The second plan.")
    bench.settle()
    assert (bench.document("a.txt").state, bench.document("a.txt").reason) == (DocumentState.FAILED, reason)
    assert bench.texts() == ["The first plan."]
    monkeypatch.undo()
    bench.now += 2
    bench.settle()
    assert bench.texts() == ["The second plan."]


def test_a_document_that_was_refused_is_tried_again_under_other_limits(bench: Bench) -> None:
    bench.write("a.txt", "\n\n".join(f"Paragraph number {number} about one of the plans." for number in range(3)))
    narrow = Pipeline(bench.store, bench.embedder, replace(LIMITS, chunks=2), bench.blobs)
    bench.worker = Worker(narrow, bench.ledger, rescan_seconds=5, clock=lambda: bench.now)
    bench.set_desired("docs")
    assert bench.document("a.txt").reason == "TooLarge"
    bench.restart()
    assert (bench.document("a.txt").state, bench.document("a.txt").chunks) == (DocumentState.READY, 3)


def test_a_version_that_is_remembered_but_no_longer_stored_is_written_again(bench: Bench) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    (document,) = bench.ledger.documents(bench.tenant, "docs")
    bench.store.delete(bench.scope, bench.scope.document(document.id))
    bench.ledger.put(replace(document, state=DocumentState.PENDING, due=bench.now))
    bench.settle()
    assert bench.document("a.txt").state is DocumentState.READY
    assert bench.texts() == ["The first plan."]


def test_a_busy_knowledge_base_does_not_keep_another_untidy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs", "faq")
    published: list[str] = []
    publish = bench.store.publish

    def seen(tenant: str, card: KnowledgeBaseRow) -> None:
        published.append(card.knowledge_base)
        publish(tenant, card)

    monkeypatch.setattr(bench.store, "publish", seen)
    (bench.source / "a.txt").unlink()
    bench.worker.look()
    for _turn in range(3):
        bench.ledger.put(*(Document(str(each), bench.tenant, "busy", "s", "p", "", due=bench.now) for each in range(2)))
        bench.worker.turn()
    assert "docs" in published


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreError("Milvus is away."), "StoreUnavailable"),
        (NoSpaceError("Milvus has no disk left."), "NoSpace"),
        (EmbedderError("The embedder is away."), "EmbedderUnavailable"),
        (ValueError("a fault of ours"), "Internal"),
    ],
)
def test_what_time_may_heal_is_told_and_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    bench.set_desired("docs")
    bench.write("a.txt", "The first plan.")

    def failing(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(bench.store, "upsert", failing)
    bench.settle()
    document = bench.document("a.txt")
    assert (document.state, document.reason) == (DocumentState.FAILED, reason)
    assert document.message.startswith("a.txt: ")
    assert not bench.status().ready
    monkeypatch.undo()
    bench.now += 2
    bench.settle()
    assert bench.document("a.txt").state is DocumentState.READY


def test_a_read_back_that_misses_chunks_is_not_ready(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.store, "upsert", lambda *_: None)
    bench.write("a.txt", "The first plan.")
    bench.set_desired("docs")
    assert bench.document("a.txt").state is DocumentState.FAILED
    assert "finds 0 of the 1 chunks" in bench.document("a.txt").message


def test_a_document_over_the_cap_of_chunks_is_refused(bench: Bench) -> None:
    pipeline = Pipeline(bench.store, bench.embedder, replace(LIMITS, chunks=2), bench.blobs)
    bench.worker = Worker(pipeline, bench.ledger, rescan_seconds=5, clock=lambda: bench.now)
    bench.write("a.txt", "\n\n".join(f"Paragraph number {number} about one of the plans." for number in range(3)))
    bench.set_desired("docs")
    assert bench.document("a.txt").reason == "TooLarge"
    assert "more than 2 chunks" in bench.document("a.txt").message


def test_one_tenants_files_are_not_found_by_another(bench: Bench) -> None:
    bench.write("a.txt", "The secret plan.")
    theirs = DesiredKnowledgeBase(
        tenant=f"{bench.tenant}-b", name="docs", sources=[DesiredSource(path=str(bench.folder / "none"))]
    )
    ours = DesiredKnowledgeBase(tenant=bench.tenant, name="docs", sources=[DesiredSource(path=str(bench.source))])
    bench.worker.set_desired([ours, theirs])
    bench.settle()
    assert bench.texts() == ["The secret plan."]
    assert bench.store.lexical(Scope(f"{bench.tenant}-b", ("docs",)), asked("plan"), 10) == []
