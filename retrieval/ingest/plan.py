"""What to do about one knowledge base, from what was seen and what is remembered. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from retrieval.ingest.ledger import Document
from retrieval.ingest.limits import Limits
from retrieval.ingest.scan import File
from retrieval.ingest.schemas import KnowledgeBase, State
from retrieval.store.rows import identifier

WAY = "2"  # of parsing, cutting and embedding: another one does every document again
SETTLE_SECONDS = 0.3  # a file that was written just now may still be written
RETRY_SECONDS = (1.0, 5.0, 30.0, 120.0)  # after the first, second, … failure that time may heal


@dataclass(frozen=True)
class Plan:
    """Documents to work on, with their new state; documents that are gone."""

    changed: tuple[Document, ...]
    gone: tuple[Document, ...]


def plan(
    wanted: KnowledgeBase, seen: Sequence[File], remembered: Sequence[Document], now: float, limits: Limits
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


def document_id(wanted: KnowledgeBase, file: File) -> str:
    return identifier("document", wanted.tenant, wanted.name, file.source, file.path)


def version_of(digest: str, wanted: KnowledgeBase) -> str:
    """What the chunks of a document follow from."""
    return identifier("version", WAY, digest, str(wanted.chunk_tokens))


def refusal_of(wanted: KnowledgeBase, limits: Limits) -> str:
    """What the refusal of a document follows from: the version of one of which nothing is stored."""
    return identifier("refusal", WAY, str(wanted.chunk_tokens), *map(str, astuple(limits)))


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


def _outdated(known: Document, wanted: KnowledgeBase, limits: Limits) -> bool:
    """Whether it was cut or refused in another way than it would be now."""
    refused = known.state is State.FAILED
    return known.due is None and known.version != (
        refusal_of(wanted, limits) if refused else version_of(known.digest, wanted)
    )


def _fresh(
    wanted: KnowledgeBase, key: str, file: File, known: Document | None, outdated: bool, now: float
) -> Document | None:
    if known is not None and known.signature == file.signature and not outdated:
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
