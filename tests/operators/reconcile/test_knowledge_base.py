from contract import conditions as c
from contract.conditions import Condition, condition
from contract.ingest import DocumentState, IndexedDocument, IndexedKnowledgeBase
from contract.knowledge_base import KnowledgeBase
from operators.reconcile.knowledge_base import next_status
from tests.operators import objects


def _ready(report: IndexedKnowledgeBase | None, trouble: str = "") -> Condition:
    base = objects.knowledge_base()
    assert isinstance(base, KnowledgeBase)
    verdict = condition(c.ACCEPTED, True, c.VALID)
    status = next_status(base, verdict=verdict, report=report, trouble=trouble, now="t")
    found = c.find(status.conditions, c.READY)
    assert found is not None
    return found


def _report(*documents: IndexedDocument, ready: bool = True, message: str = "") -> IndexedKnowledgeBase:
    return IndexedKnowledgeBase(
        tenant="acme", name="handbook", ready=ready, chunks=3, documents=list(documents), message=message
    )


GOOD = IndexedDocument(path="a.md", state=DocumentState.READY, chunks=3)
BAD = IndexedDocument(path="b.pdf", state=DocumentState.FAILED, reason="Encrypted", message="b.pdf: it is encrypted")


def test_a_base_whose_documents_are_in_is_ready() -> None:
    assert _ready(_report(GOOD)) == condition(c.READY, True, c.INDEXED, "3 chunks of 1 documents").model_copy(
        update={"observed_generation": 1, "last_transition_time": "t"}
    )


def test_a_document_that_is_left_out_is_named_and_does_not_unready_the_others() -> None:
    found = _ready(_report(GOOD, BAD))
    assert found.holds
    assert found.reason == c.DOCUMENTS_FAILED
    assert "b.pdf: it is encrypted" in found.message


def test_what_is_still_under_way_or_in_trouble_is_not_ready() -> None:
    assert _ready(None).reason == c.INGESTING
    assert _ready(_report(GOOD, ready=False)).reason == c.INGESTING
    assert _ready(_report(message="the directory is gone")).message == "the directory is gone"
    assert _ready(_report(GOOD), trouble="Milvus is away").reason == c.INGEST_FAILED
