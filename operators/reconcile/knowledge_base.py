"""The ingest worker's report → the status of a knowledge base (pure)."""

from datetime import UTC, datetime

from contract import conditions as c
from contract.conditions import Condition, condition
from contract.ingest import DocumentState, IndexedDocument, IndexedKnowledgeBase, LookedAtWebSource
from contract.knowledge_base import Document, FollowedWebSource, KnowledgeBase, KnowledgeBaseStatus


def next_status(
    base: KnowledgeBase, *, verdict: Condition, report: IndexedKnowledgeBase | None, trouble: str, now: str
) -> KnowledgeBaseStatus:
    """Before the first report, the last status stands."""
    documents = tuple(map(_document, report.documents)) if report else base.status.documents
    new = (verdict, _ready(report, trouble) if verdict.holds else _refused(verdict))
    return KnowledgeBaseStatus(
        documents=documents,
        chunks=report.chunks if report else base.status.chunks,
        web=tuple(map(_web, report.web)) if report else base.status.web,
        conditions=c.merged(base.status.conditions, new, generation=base.metadata.generation, now=now),
    )


def _document(item: IndexedDocument) -> Document:
    return Document(path=item.path, state=item.state, reason=item.reason, message=item.message, chunks=item.chunks)


def _web(source: LookedAtWebSource) -> FollowedWebSource:
    looked_at = c.stamp(datetime.fromtimestamp(source.looked_at, UTC)) if source.looked_at else ""
    return FollowedWebSource(url=source.url, pages=source.pages, looked_at=looked_at, message=source.message)


def _refused(verdict: Condition) -> Condition:
    return condition(c.READY, False, verdict.reason, verdict.message)


def _ready(report: IndexedKnowledgeBase | None, trouble: str) -> Condition:
    if trouble:
        return condition(c.READY, False, c.INGEST_FAILED, trouble)
    if report is None:
        return condition(c.READY, False, c.INGESTING, "the ingest worker has not reported yet")
    if report.message:
        return condition(c.READY, False, c.DOCUMENTS_FAILED, report.message)
    if not report.ready:
        done = sum(d.state in (DocumentState.READY, DocumentState.FAILED) for d in report.documents)
        return condition(c.READY, False, c.INGESTING, f"{done} of {len(report.documents)} documents done")
    failed = [d for d in report.documents if d.state is DocumentState.FAILED]
    if failed:
        facts = "; ".join(f"{d.path}: {d.message or d.reason}" for d in failed[:3])
        return condition(c.READY, True, c.DOCUMENTS_FAILED, f"{len(failed)} left out: {facts}")
    return condition(c.READY, True, c.INDEXED, f"{report.chunks} chunks of {len(report.documents)} documents")
