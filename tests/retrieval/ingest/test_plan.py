"""What to do about a knowledge base, from what was seen and what is remembered."""

from collections import Counter
from dataclasses import replace

import pytest

from contract.ingest import DesiredKnowledgeBase, DocumentState
from retrieval.ingest.ledger import Document
from retrieval.ingest.plan import (
    SETTLE_SECONDS,
    document_id,
    missing,
    plan,
    refusal_of,
    retry_at,
    strangers,
    version_of,
)
from retrieval.ingest.scan import File
from tests.retrieval.ingest.test_parse import LIMITS

WANTED = DesiredKnowledgeBase(tenant="acme", name="docs", sources=[])
FILE = File("/source", "a.txt", 5, 100.0, "signature")
READY = Document(
    document_id(WANTED, FILE),
    "acme",
    "docs",
    "/source",
    "a.txt",
    "signature",
    digest="d",
    version=version_of("d", WANTED, FILE, "e", ""),
    chunks=3,
    state=DocumentState.READY,
)
NOW = 1_000.0


def test_a_new_file_is_pending_at_once() -> None:
    (made,) = plan(WANTED, [FILE], [], NOW, LIMITS, "e").changed
    assert (made.id, made.state, made.due, made.version) == (READY.id, DocumentState.PENDING, NOW, "")


def test_a_file_that_looks_the_same_is_left_alone() -> None:
    assert plan(WANTED, [FILE], [READY], NOW, LIMITS, "e") == plan(WANTED, [], [], NOW, LIMITS, "e")


def test_a_file_that_looks_different_is_pending_and_keeps_what_is_stored() -> None:
    failed = replace(READY, state=DocumentState.FAILED, reason="Corrupt", message="m", attempts=2)
    (changed,) = plan(WANTED, [replace(FILE, signature="other")], [failed], NOW, LIMITS, "e").changed
    assert (changed.state, changed.reason, changed.attempts, changed.due) == (DocumentState.PENDING, "", 0, NOW)
    assert (changed.version, changed.chunks) == (READY.version, 3)


def test_a_document_is_cut_anew_when_another_size_is_wanted() -> None:
    finer = WANTED.model_copy(update={"chunk_tokens": 80})
    (changed,) = plan(finer, [FILE], [READY], NOW, LIMITS, "e").changed
    assert changed.state is DocumentState.PENDING
    assert plan(finer, [FILE], [changed], NOW, LIMITS, "e").changed == ()


def test_a_refusal_holds_for_the_limits_that_it_was_made_under() -> None:
    refused = replace(READY, state=DocumentState.FAILED, digest="", version=refusal_of(WANTED, LIMITS), chunks=0)
    assert plan(WANTED, [FILE], [refused], NOW, LIMITS, "e").changed == ()
    (again,) = plan(WANTED, [FILE], [refused], NOW, replace(LIMITS, characters=1), "e").changed
    assert again.state is DocumentState.PENDING
    (unmarked,) = plan(WANTED, [FILE], [replace(refused, version="")], NOW, LIMITS, "e").changed
    assert unmarked.state is DocumentState.PENDING
    waiting = replace(refused, version="", due=NOW + 5)
    assert plan(WANTED, [FILE], [waiting], NOW, LIMITS, "e").changed == ()


def test_a_file_that_is_still_being_written_waits_until_it_has_settled() -> None:
    (made,) = plan(WANTED, [replace(FILE, modified=NOW - 0.1)], [], NOW, LIMITS, "e").changed
    assert made.due == pytest.approx(NOW - 0.1 + SETTLE_SECONDS)
    (dated_ahead,) = plan(WANTED, [replace(FILE, modified=NOW + 10**6)], [], NOW, LIMITS, "e").changed
    assert dated_ahead.due == pytest.approx(NOW + SETTLE_SECONDS)


def test_a_document_without_a_file_is_gone() -> None:
    assert plan(WANTED, [], [READY], NOW, LIMITS, "e").gone == (READY,)


def test_the_same_path_in_two_sources_or_tenants_is_two_documents() -> None:
    other_source = document_id(WANTED, replace(FILE, source="/other"))
    other_tenant = document_id(WANTED.model_copy(update={"tenant": "umbrella"}), FILE)
    assert len({READY.id, other_source, other_tenant}) == 3


def test_chunks_follow_from_the_content_and_the_way_of_cutting() -> None:
    finer = WANTED.model_copy(update={"chunk_tokens": 80})
    kinds = [("a", WANTED), ("b", WANTED), ("a", finer)]
    assert len({version_of(digest, base, FILE, "e", "") for digest, base in kinds}) == 3


def test_pdfs_are_read_anew_in_other_languages_and_nothing_else_is() -> None:
    scan = replace(FILE, path="scan.PDF")
    indexed = replace(READY, id=document_id(WANTED, scan), version=version_of("d", WANTED, scan, "e", ""))
    korean = replace(LIMITS, ocr_languages="kor")
    assert [changed.id for changed in plan(WANTED, [FILE, scan], [READY, indexed], NOW, korean, "e").changed] == [
        indexed.id
    ]
    assert plan(WANTED, [FILE, scan], [READY, indexed], NOW, LIMITS, "e").changed == ()


def test_what_the_store_lost_is_done_again_and_what_nobody_remembers_is_found() -> None:
    (again,) = missing([READY], Counter({READY.id: 2}), NOW)
    assert (again.version, again.state, again.due) == ("", DocumentState.PENDING, NOW)
    assert missing([READY], Counter({READY.id: 3}), NOW) == ()
    assert missing([replace(READY, version="", chunks=0)], Counter(), NOW) == ()
    assert strangers([READY], Counter({READY.id: 3, "stranger": 1})) == {"stranger"}


def test_waiting_grows_with_the_failures_up_to_a_bound() -> None:
    waits = [retry_at(attempts, NOW) - NOW for attempts in range(1, 11)]
    assert waits == sorted(waits)
    assert waits[-1] == waits[-2] == 120
