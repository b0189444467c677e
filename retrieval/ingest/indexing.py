"""Indexes, rejects or postpones one document."""

import logging
from collections.abc import Callable
from dataclasses import replace

from contract.ingest import DesiredKnowledgeBase, DocumentState
from retrieval.errors import DocumentError, DocumentUnavailableError, EmbedderError, NoSpaceError, StoreError
from retrieval.ingest import reasons
from retrieval.ingest.jobs import Steps
from retrieval.ingest.ledger import Document, Ledger
from retrieval.ingest.pipeline import Pipeline
from retrieval.ingest.plan import refusal_of, retry_at
from retrieval.ingest.progress import Progress
from retrieval.ingest.scan import File
from retrieval.ingest.term_statistics import TermStatistics
from retrieval.scope import Scope

REEDITED_SECONDS = 1.0  # until the next turn of a file that was edited while it was indexed: others have theirs

log = logging.getLogger(__name__)


class Indexing:
    """`rescan_seconds` is the time until the next try, if the source of a document is temporarily unreadable."""

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: Ledger,
        progress: Progress,
        statistics: TermStatistics,
        *,
        clock: Callable[[], float],
        rescan_seconds: float,
    ) -> None:
        self._pipeline, self._store, self._ledger, self._progress = pipeline, pipeline.store, ledger, progress
        self._statistics, self._clock, self._rescan_seconds = statistics, clock, rescan_seconds

    def is_current(self, document: Document) -> bool:
        """True if the last scan has the document's file, unchanged. A knowledge base on its way out has no scan."""
        file = self._file(document)
        return file is not None and file.signature == document.signature

    def is_listed(self, document: Document) -> bool:
        """True if the last scan has the document's file, edited or not. An edited one is finished, then indexed again:
        otherwise a file that is edited often would never be indexed."""
        return self._file(document) is not None

    def defer(self, document: Document) -> None:
        """Its source is temporarily unreadable: the next scan decides."""
        self._ledger.put(replace(document, due=self._clock() + self._rescan_seconds))

    def steps(self, document: Document) -> Steps:
        """The work on a current document, step by step. Its own faults, and the store's, are put down on it."""
        scanned, file = self._progress.scans[document.tenant, document.knowledge_base], self._file(document)
        assert file  # noqa: S101  # it is current
        try:
            yield from self._index_or_reject(scanned.base, file, document)
        except DocumentUnavailableError as error:
            self._postpone(document, error.reason, str(error))
        except EmbedderError as error:
            self._postpone(document, reasons.EMBEDDER_UNAVAILABLE, str(error))
        except NoSpaceError as error:
            self._postpone(document, reasons.NO_SPACE, str(error))
        except StoreError as error:
            self._progress.compared.clear()
            self._postpone(document, reasons.STORE_UNAVAILABLE, str(error))
        except Exception as error:  # a bug that hits one document must not block the others
            log.exception("%s/%s: %s failed", document.tenant, document.knowledge_base, document.path)
            message = f"indexing it failed ({type(error).__name__}): the log of the worker has the details."
            self._postpone(document, reasons.INTERNAL, message)

    def _file(self, document: Document) -> File | None:
        scanned = self._progress.scans.get((document.tenant, document.knowledge_base))
        return scanned.files.get(document.id) if scanned else None

    def _index_or_reject(self, base: DesiredKnowledgeBase, file: File, document: Document) -> Steps:
        try:
            yield from self._index(base, file, document)
        except DocumentUnavailableError:
            raise
        except DocumentError as error:
            self._reject(base, document, error)

    def _index(self, base: DesiredKnowledgeBase, file: File, document: Document) -> Steps:
        def enter(state: DocumentState, digest: str) -> None:
            self._ledger.put(replace(document, state=state, digest=digest, reason="", message=""))

        indexed = yield from self._pipeline.index(base, file, document, enter)
        ready = replace(document, state=DocumentState.READY, reason="", message="", attempts=0, due=None)
        ready = replace(ready, digest=indexed.digest, version=indexed.version, chunks=indexed.chunks)
        latest = self._file(document)
        if latest is not None and latest.signature != document.signature:  # edited meanwhile
            again = self._clock() + REEDITED_SECONDS
            ready = replace(ready, signature=latest.signature, state=DocumentState.PENDING, due=again)
        self._statistics.add((document.tenant, base.name), indexed.chunks)
        self._ledger.put(ready)
        log.info("%s/%s: %s is ready, %s chunks", document.tenant, base.name, document.path, indexed.chunks)

    def _reject(self, base: DesiredKnowledgeBase, document: Document, error: DocumentError) -> None:
        """The present content cannot be indexed, so chunks of earlier content are deleted."""
        scope = Scope(document.tenant, (document.knowledge_base,))
        self._store.delete(scope, scope.document(document.id))
        self._progress.untidy[document.tenant, document.knowledge_base] += 1
        version = refusal_of(base, self._pipeline.limits)
        failed = replace(
            document, state=DocumentState.FAILED, digest="", version=version, chunks=0, attempts=0, due=None
        )
        self._ledger.put(replace(failed, reason=error.reason, message=f"{document.path}: {error}."))
        log.warning("%s/%s: %s: %s", document.tenant, document.knowledge_base, document.path, error)

    def _postpone(self, document: Document, reason: str, message: str) -> None:
        attempts = document.attempts + 1
        failed = replace(document, state=DocumentState.FAILED, reason=reason, message=f"{document.path}: {message}")
        self._ledger.put(replace(failed, attempts=attempts, due=retry_at(attempts, self._clock())))
        log.warning("%s/%s: %s: %s", document.tenant, document.knowledge_base, document.path, message)
