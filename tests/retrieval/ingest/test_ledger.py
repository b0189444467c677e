"""The ledger outlives its process, takes turns between tenants, and says when the disk is full."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.ingest import DesiredKnowledgeBase, DesiredSource, DocumentState
from retrieval.errors import NoSpaceError
from retrieval.ingest.ledger import Document, Ledger, LedgerError

DOCUMENT = Document("1", "acme", "docs", "/source", "a.txt", "signature", due=10.0)
DOCS = DesiredKnowledgeBase(tenant="acme", name="docs", sources=[DesiredSource(path="/source")])
FAQ = DesiredKnowledgeBase(tenant="acme", name="faq", sources=[], chunk_tokens=80)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "ledger.db")
    first.set_desired([DOCS, FAQ])
    first.put(DOCUMENT, replace(DOCUMENT, id="2", state=DocumentState.READY, due=None))
    first.close()
    second = Ledger(tmp_path / "ledger.db")
    assert second.desired() == [DOCS, FAQ]
    assert [document.state for document in second.documents("acme", "docs")] == [
        DocumentState.PENDING,
        DocumentState.READY,
    ]
    second.close()


def test_what_is_no_longer_listed_leaves_until_it_is_forgotten(ledger: Ledger) -> None:
    ledger.set_desired([DOCS, FAQ])
    ledger.put(DOCUMENT)
    ledger.set_desired([FAQ])
    assert (ledger.desired(), ledger.leaving()) == ([FAQ], [DOCS])
    ledger.forget("acme", "docs")
    assert (ledger.leaving(), ledger.documents("acme", "docs")) == ([], [])


def test_a_knowledge_base_that_is_listed_again_stays(ledger: Ledger) -> None:
    ledger.set_desired([DOCS])
    ledger.set_desired([])
    ledger.set_desired([DOCS])
    assert (ledger.desired(), ledger.leaving()) == ([DOCS], [])


def test_what_is_wanted_again_is_not_forgotten(ledger: Ledger) -> None:
    ledger.set_desired([DOCS, FAQ])
    ledger.put(DOCUMENT)
    ledger.forget("acme", "docs")
    assert (ledger.desired(), ledger.documents("acme", "docs")) == ([DOCS, FAQ], [DOCUMENT])
    assert ledger.desired_of("acme") == {"docs", "faq"}


def test_an_empty_desired_set_is_another_thing_than_none(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "ledger.db")
    assert not first.has_desired_set()
    first.set_desired([])
    first.close()
    second = Ledger(tmp_path / "ledger.db")
    assert second.has_desired_set()
    second.close()


def test_a_knowledge_base_has_something_due_by_its_own_documents(ledger: Ledger) -> None:
    ledger.put(DOCUMENT, replace(DOCUMENT, id="2", knowledge_base="faq", due=None))
    assert [ledger.is_due("acme", name, 10.0) for name in ("docs", "faq")] == [True, False]
    assert not ledger.is_due("acme", "docs", 9.0)


def test_tenants_take_turns_whatever_the_length_of_their_queues(ledger: Ledger) -> None:
    many = [replace(DOCUMENT, id=f"a{number}", due=float(number)) for number in range(5)]
    ledger.put(*many, replace(DOCUMENT, id="b0", tenant="umbrella", due=50.0))
    order, last = [], ""
    while document := ledger.next(100.0, last):
        order.append(document.id)
        last = document.tenant
        ledger.remove(document.id)
    assert order == ["a0", "b0", "a1", "a2", "a3", "a4"]


def test_a_document_is_not_due_before_its_time(ledger: Ledger) -> None:
    ledger.put(DOCUMENT, replace(DOCUMENT, id="done", due=None))
    assert ledger.next(9.0, "") is None
    assert ledger.next_due() == 10.0
    ledger.remove("1")
    assert ledger.next_due() is None


def test_every_write_is_told(tmp_path: Path) -> None:
    told: list[None] = []
    ledger = Ledger(tmp_path / "ledger.db", lambda: told.append(None))
    ledger.set_desired([DOCS])
    ledger.put(DOCUMENT)
    ledger.documents("acme", "docs")
    assert len(told) == 2
    ledger.close()


def test_a_full_disk_is_named_loses_nothing_and_passes(ledger: Ledger) -> None:
    ledger.put(DOCUMENT)
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpaceError, match=r"ledger\.db has no disk left"):
        ledger.put(*(replace(DOCUMENT, id=str(number), message="x" * 500) for number in range(100)))
    assert ledger.documents("acme", "docs") == [DOCUMENT]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages + 100}")
    ledger.put(replace(DOCUMENT, id="2"))
    assert len(ledger.documents("acme", "docs")) == 2


def test_a_write_that_fails_leaves_no_half_of_it(ledger: Ledger) -> None:
    with pytest.raises(LedgerError):
        ledger.put(DOCUMENT, replace(DOCUMENT, id="2", signature=None))  # type: ignore[arg-type]
    assert ledger.documents("acme", "docs") == []
    ledger.put(DOCUMENT)
    assert ledger.documents("acme", "docs") == [DOCUMENT]


@pytest.mark.parametrize("damage", ["no database", "cut short"])
def test_a_ledger_that_is_damaged_is_kept_and_begun_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "ledger.sqlite"
    first = Ledger(path)
    first.set_desired([DOCS])
    first.close()
    path.write_bytes(b"no ledger at all" * 1000 if damage == "no database" else path.read_bytes()[:5000])
    again = Ledger(path)
    assert not again.has_desired_set()
    again.set_desired([DOCS])
    assert again.desired() == [DOCS]
    again.close()
    assert list(tmp_path.glob("ledger.sqlite.damaged-*"))
