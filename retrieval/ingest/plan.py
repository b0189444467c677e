"""What to do about one knowledge base, from what was seen and what is remembered. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from retrieval.ingest.ledger import Document
from retrieval.ingest.scan import File
from retrieval.ingest.schemas import KnowledgeBase, State
from retrieval.store.rows import identifier

SETTLE_SECONDS = 0.3  # a file that was written just now may still be written
RETRY_SECONDS = (1.0, 5.0, 30.0, 120.0)  # after the first, second, … failure that time may heal


@dataclass(frozen=True)
class Plan:
    """Documents to work on, with their new state; documents that are gone."""

    changed: tuple[Document, ...]
    gone: tuple[Document, ...]


def plan(wanted: KnowledgeBase, seen: Sequence[File], remembered: Sequence[Document], now: float) -> Plan:
    """A file that is new, looks different or is to be cut anew is pending; a document without a file is gone."""
    known = {document.id: document for document in remembered}
    files = {document_id(wanted, file): file for file in seen}
    fresh = (_fresh(wanted, key, file, known.get(key), now) for key, file in files.items())
    return Plan(
        changed=tuple(document for document in fresh if document is not None),
        gone=tuple(document for key, document in known.items() if key not in files),
    )


def document_id(wanted: KnowledgeBase, file: File) -> str:
    return identifier("document", wanted.tenant, wanted.name, file.source, file.path)


def version_of(digest: str, wanted: KnowledgeBase) -> str:
    """What the chunks of a document follow from; the number changes with the way of cutting and embedding."""
    return identifier("version", "1", digest, str(wanted.chunk_tokens))


def missing(remembered: Sequence[Document], counted: Mapping[str, int], now: float) -> tuple[Document, ...]:
    """Documents whose chunks the store does not hold in the number that was written: to be done again."""
    lost = (document for document in remembered if document.version and counted[document.id] != document.chunks)
    return tuple(replace(document, version="", state=State.PENDING, due=now) for document in lost)


def strangers(remembered: Sequence[Document], counted: Mapping[str, int]) -> frozenset[str]:
    """Ids of documents in the store that nobody remembers."""
    return frozenset(counted) - {document.id for document in remembered}


def retry_at(attempts: int, now: float) -> float:
    """When to try again after so many failures."""
    return now + RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]


def _outdated(known: Document, wanted: KnowledgeBase) -> bool:
    """Whether what is stored was cut in another way than is wanted now."""
    return known.due is None and known.version not in ("", version_of(known.digest, wanted))


def _fresh(wanted: KnowledgeBase, key: str, file: File, known: Document | None, now: float) -> Document | None:
    if known is not None and known.signature == file.signature and not _outdated(known, wanted):
        return None
    document = known or Document(key, wanted.tenant, wanted.name, file.source, file.path, file.signature)
    settled = min(now, file.modified) + SETTLE_SECONDS
    return replace(
        document,
        signature=file.signature,
        state=State.PENDING,
        reason="",
        message="",
        attempts=0,
        due=max(now, settled),
    )
