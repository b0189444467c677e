"""Plans the work on one knowledge base from a scan and the ledger. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from contract.ingest import DesiredKnowledgeBase, DocumentState
from retrieval.ingest.ledger import Document
from retrieval.ingest.limits import Limits
from retrieval.ingest.scan import File
from retrieval.store.rows import identifier
from service.backoff import Backoff

PIPELINE_VERSION = "6"  # of parsing, cutting and embedding: a new number indexes every document again
SETTLE_SECONDS = 0.3  # a file written just now may be incomplete
RETRIES = Backoff(first_s=1.0, last_s=120.0)  # for failures that may pass with time


@dataclass(frozen=True)
class Plan:
    """`changed` are documents to work on, in their new state; `gone` are documents without a file."""

    changed: tuple[Document, ...]
    gone: tuple[Document, ...]


def plan(
    base: DesiredKnowledgeBase,
    scanned: Sequence[File],
    remembered: Sequence[Document],
    now: float,
    limits: Limits,
    index_id: str,
) -> Plan:
    """A document becomes pending if its file is new or changed, or if it was cut, embedded or refused by older rules. A
    document without a file is removed."""
    by_id = {document.id: document for document in remembered}
    files = {document_id(base, file): file for file in scanned}
    outdated = {
        document.id for document in remembered if _outdated(document, base, files.get(document.id), limits, index_id)
    }
    fresh = (_fresh(base, key, file, by_id.get(key), key in outdated, now) for key, file in files.items())
    return Plan(
        changed=tuple(document for document in fresh if document is not None),
        gone=tuple(document for key, document in by_id.items() if key not in files),
    )


def document_id(base: DesiredKnowledgeBase, file: File) -> str:
    return identifier("document", base.tenant, base.name, file.source, file.path)


def version_of(digest: str, base: DesiredKnowledgeBase, file: File, index_id: str, ocr_languages: str) -> str:
    """Identifies the inputs of a document's chunks, which carry an upload's attributes. Scans in a PDF are read in
    these languages."""
    attributes = json.dumps(dict(file.upload.attributes), sort_keys=True) if file.upload else ""
    languages = (ocr_languages,) if ocr_languages and file.path.lower().endswith(".pdf") else ()
    return identifier("version", PIPELINE_VERSION, digest, str(base.chunk_tokens), attributes, index_id, *languages)


def refusal_of(base: DesiredKnowledgeBase, limits: Limits) -> str:
    """Identifies the inputs of a document's refusal. It is the version of a refused document."""
    return identifier("refusal", PIPELINE_VERSION, str(base.chunk_tokens), *map(str, astuple(limits)))


def missing(remembered: Sequence[Document], counted: Mapping[str, int], now: float) -> tuple[Document, ...]:
    """Documents with more or fewer chunks in the store than were written, to be indexed again."""
    lost = (document for document in remembered if document.version and counted[document.id] != document.chunks)
    return tuple(replace(document, version="", state=DocumentState.PENDING, due=now) for document in lost)


def strangers(remembered: Sequence[Document], counted: Mapping[str, int]) -> frozenset[str]:
    """Ids of documents in the store that are missing in the ledger."""
    return frozenset(counted) - {document.id for document in remembered}


def retry_at(attempts: int, now: float) -> float:
    """The time of the next try after `attempts` failures."""
    return now + RETRIES.delay(attempts)


def _outdated(document: Document, base: DesiredKnowledgeBase, file: File | None, limits: Limits, index_id: str) -> bool:
    """True if a finished document was cut or refused by other rules than today's."""
    if document.due is not None or file is None:
        return False
    refused = document.state is DocumentState.FAILED
    if refused:
        return document.version != refusal_of(base, limits)
    return document.version != version_of(document.digest, base, file, index_id, limits.ocr_languages)


def _fresh(
    base: DesiredKnowledgeBase, key: str, file: File, remembered: Document | None, outdated: bool, now: float
) -> Document | None:
    if remembered is not None and remembered.signature == file.signature and not outdated:
        return None
    document = remembered or Document(key, base.tenant, base.name, file.source, file.path, file.signature)
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
