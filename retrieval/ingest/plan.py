"""What to do about one knowledge base, from what was seen and what is remembered. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from contract.ingest import DesiredKnowledgeBase, DocumentState
from retrieval.ingest.ledger import Document
from retrieval.ingest.limits import Limits
from retrieval.ingest.scan import File
from retrieval.store.rows import identifier
from service.backoff import Backoff

WAY = "2"  # of parsing, cutting and embedding: another one does every document again
SETTLE_SECONDS = 0.3  # a file that was written just now may still be written
RETRIES = Backoff(first_s=1.0, last_s=120.0)  # of failures that time may heal


@dataclass(frozen=True)
class Plan:
    """Documents to work on, with their new state; documents that are gone."""

    changed: tuple[Document, ...]
    gone: tuple[Document, ...]


def plan(
    wanted: DesiredKnowledgeBase, seen: Sequence[File], remembered: Sequence[Document], now: float, limits: Limits
) -> Plan:
    """A file that is new, looks different, is to be cut anew or was refused by other rules is pending; a document
    without a file is gone."""
    known = {document.id: document for document in remembered}
    files = {document_id(wanted, file): file for file in seen}
    outdated = {document.id for document in remembered if _outdated(document, wanted, limits)}
    fresh = (_fresh(wanted, key, file, known.get(key), key in outdated, now) for key, file in files.items())
    return Plan(
        changed=tuple(document for document in fresh if document is not None),
        gone=tuple(document for key, document in known.items() if key not in files),
    )


def document_id(wanted: DesiredKnowledgeBase, file: File) -> str:
    return identifier("document", wanted.tenant, wanted.name, file.source, file.path)


def version_of(digest: str, wanted: DesiredKnowledgeBase) -> str:
    """What the chunks of a document follow from."""
    return identifier("version", WAY, digest, str(wanted.chunk_tokens))


def refusal_of(wanted: DesiredKnowledgeBase, limits: Limits) -> str:
    """What the refusal of a document follows from: the version of one of which nothing is stored."""
    return identifier("refusal", WAY, str(wanted.chunk_tokens), *map(str, astuple(limits)))


def missing(remembered: Sequence[Document], counted: Mapping[str, int], now: float) -> tuple[Document, ...]:
    """Documents whose chunks the store does not hold in the number that was written: to be done again."""
    lost = (document for document in remembered if document.version and counted[document.id] != document.chunks)
    return tuple(replace(document, version="", state=DocumentState.PENDING, due=now) for document in lost)


def strangers(remembered: Sequence[Document], counted: Mapping[str, int]) -> frozenset[str]:
    """Ids of documents in the store that nobody remembers."""
    return frozenset(counted) - {document.id for document in remembered}


def retry_at(attempts: int, now: float) -> float:
    """When to try again after so many failures."""
    return now + RETRIES.delay(attempts)


def _outdated(known: Document, wanted: DesiredKnowledgeBase, limits: Limits) -> bool:
    """Whether it was cut or refused in another way than it would be now."""
    refused = known.state is DocumentState.FAILED
    return known.due is None and known.version != (
        refusal_of(wanted, limits) if refused else version_of(known.digest, wanted)
    )


def _fresh(
    wanted: DesiredKnowledgeBase, key: str, file: File, known: Document | None, outdated: bool, now: float
) -> Document | None:
    if known is not None and known.signature == file.signature and not outdated:
        return None
    document = known or Document(key, wanted.tenant, wanted.name, file.source, file.path, file.signature)
    settled = min(now, file.modified) + SETTLE_SECONDS
    return replace(
        document,
        signature=file.signature,
        state=DocumentState.PENDING,
        reason="",
        message="",
        attempts=0,
        due=max(now, settled),
    )
