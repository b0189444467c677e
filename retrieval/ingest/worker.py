"""The loop aligning the store with the sources. Level-triggered: every turn looks again."""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from contract.body import DIMENSIONS
from contract.ingest import DesiredKnowledgeBase, DocumentState, IndexedDocument, IndexedKnowledgeBase
from retrieval.bm25 import Statistics
from retrieval.errors import DocumentError, DocumentUnavailableError, NoSpaceError, RetrievalError, StoreError
from retrieval.ingest import reasons
from retrieval.ingest.ledger import Document, Ledger, LedgerError
from retrieval.ingest.pipeline import Pipeline
from retrieval.ingest.plan import document_id, missing, plan, refusal_of, retry_at, strangers
from retrieval.ingest.scan import File, SourceError, exists, scan
from retrieval.ingest.task_failures import Key, Task, TaskFailures
from retrieval.scope import Scope
from retrieval.store import KnowledgeBaseRow
from retrieval.store.probe import prove_isolation

PAUSE_SECONDS = 1.0  # after a failure of the store or the ledger
TIDY_CHUNKS = 256  # written at the most before a knowledge base is tidied; it is whenever nothing of it is due
SAMPLED_CHUNKS = 5_000  # the sample for the statistics of a knowledge base
COMPARE_SECONDS = 30.0  # between two comparisons of ledger and store: a store can lose acknowledged data
STARTING = "The worker has not looked at its sources yet."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanResult:
    """The last scan of a knowledge base's sources; `unread` are unreadable sources."""

    wanted: DesiredKnowledgeBase
    files: dict[str, File]  # by document id
    unread: frozenset[str]
    message: str

    def decides_on(self, document: Document) -> bool:
        """Unreadable sources remove nothing: neither their own documents, nor, meanwhile, documents of a source dropped
        from the spec, because its path may be mistyped now."""
        named = any(source.path == document.source for source in self.wanted.sources)
        return document.source not in self.unread and (named or not self.unread)


class Worker:
    """Runs in one thread (`run`); the other methods may be called from any."""

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: Ledger,
        *,
        rescan_seconds: float,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pipeline, self._store, self._ledger = pipeline, pipeline.store, ledger
        self._rescan_seconds, self._changed, self._clock = rescan_seconds, changed, clock
        self._scans: dict[Key, ScanResult] = {}
        self._compared: dict[Key, float] = {}  # when with the store's totals; reset after a loss of the store
        self._untidy: Counter[Key] = Counter()  # chunks written since the card was
        self._swept: set[str] = set()  # tenants without undesired data in the store
        self._failures = TaskFailures()
        self._looked = -math.inf
        self._wake, self._stopped, self._look = threading.Event(), threading.Event(), threading.Event()
        self._last_tenant = ""
        self._proven = False
        self._message = STARTING

    @property
    def message(self) -> str:
        """Why the worker is not at work; empty while it is."""
        return self._message

    @property
    def trouble(self) -> str:
        """The fault stopping the whole worker. A starting worker has none."""
        return "" if self._message == STARTING else self._message

    def run(self) -> None:
        """Work until `stop`. A failure of the store or the ledger is told in `message` and tried again."""
        self.look()
        while not self._stopped.is_set():
            try:
                pause = self.turn() if self._proven else self._prove()
                self._set_message("")
            except RetrievalError as error:
                pause = self._stumble(str(error))
            except Exception as error:  # a bug must not end the thread serving all tenants
                log.exception("the worker failed")
                pause = self._stumble(f"The worker failed ({type(error).__name__}): its log has the details.")
            self._wake.wait(pause)
            self._wake.clear()

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()

    def look(self) -> None:
        """The sources or the desired set may have changed."""
        self._look.set()
        self._wake.set()

    def set_desired(self, listed: list[DesiredKnowledgeBase]) -> None:
        """Make this the desired set."""
        self._ledger.set_desired(listed)
        self.look()

    def roots(self) -> list[Path]:
        """The existing sources to watch."""
        sources = {source.path for base in self._ledger.desired() for source in base.sources}
        return sorted(Path(source) for source in sources if exists(source))

    def status(self) -> list[IndexedKnowledgeBase]:
        return [self._status(base) for base in self._ledger.desired()]

    def turn(self) -> float:
        """A look, if it is time for one, a document, if one is due, and a tidying. Returns the seconds to wait."""
        if self._look.is_set() or self._passed(self._rescan_seconds, self._looked):
            self._look.clear()
            self._looked = self._clock()
            self._scan_all()
        document = self._ledger.next(self._clock(), self._last_tenant)
        if document is not None:
            self._last_tenant = document.tenant
            self._work(document)
        if self._tidy_one() or document is not None:
            return 0.0
        due = self._ledger.next_due() or math.inf
        return max(0.0, min(due, self._looked + self._rescan_seconds) - self._clock())

    def _passed(self, seconds: float, since: float) -> bool:
        """Whether this time has passed; also after the clock was set back, when the true time is unknown."""
        return not 0 <= self._clock() - since < seconds

    def _prove(self) -> float:
        """Nothing is written for a tenant before the store has proven its isolation."""
        prove_isolation(self._store, DIMENSIONS)
        self._proven = True
        return 0.0

    def _scan_all(self) -> None:
        for leaving in self._ledger.leaving():
            key = (leaving.tenant, leaving.name)
            self._attempt(key, Task.LEAVE, partial(self._leave, *key))
        if self._ledger.instructed():
            for tenant in self._store.tenants() - self._swept:
                self._attempt((tenant, ""), Task.LEAVE, partial(self._sweep, tenant))
        for base in self._ledger.desired():
            if not base.kept:
                self._attempt((base.tenant, base.name), Task.LOOK, partial(self._scan_one, base))

    def _attempt(self, key: Key, task: Task, act: Callable[[], None]) -> None:
        """A failure of one knowledge base is reported on it and retried later, while the others go on. A failing ledger
        or unreachable store fails the turn."""
        if self._failures.waits(key, task, self._clock()):
            return
        try:
            act()
        except LedgerError:
            raise
        except Exception as error:
            if isinstance(error, StoreError):
                self._store.tenants()
            self._compared.pop(key, None)
            self._failures.add(key, task, _described(key, task, error), self._clock())
            self._changed()
        else:
            if self._failures.settle(key, task):
                self._changed()

    def _scan_one(self, base: DesiredKnowledgeBase) -> None:
        key = (base.tenant, base.name)
        scope = Scope(base.tenant, (base.name,))
        if self._passed(COMPARE_SECONDS, self._compared.get(key, -math.inf)):
            self._compare(base, scope)
            self._compared[key] = self._clock()
        if key not in self._scans:  # data written before a restart may lack its row in the statistics
            self._untidy[key] += 1
        scanned = self._scan(base)
        remembered = [d for d in self._ledger.documents(*key) if scanned.decides_on(d)]
        todo = plan(base, list(scanned.files.values()), remembered, self._clock(), self._pipeline.limits)
        if todo.changed:
            self._ledger.put(*todo.changed)
        if todo.gone:
            self._untidy[key] += 1
        for document in todo.gone:
            self._store.delete(scope, scope.document(document.id))
            self._ledger.remove(document.id)
        if self._scans.get(key, scanned).message != scanned.message or key not in self._scans:
            self._changed()
        self._scans[key] = scanned

    def _scan(self, base: DesiredKnowledgeBase) -> ScanResult:
        files: list[File] = []
        failed: dict[str, str] = {}
        for source in base.sources:
            try:
                files += scan(source.path, self._pipeline.limits)
            except SourceError as error:
                failed[source.path] = str(error)
        by_id = {document_id(base, file): file for file in files}
        return ScanResult(base, by_id, frozenset(failed), " ".join(failed.values()))

    def _compare(self, base: DesiredKnowledgeBase, scope: Scope) -> None:
        """Repeat lost work, and remove unknown documents. Comparing totals usually suffices."""
        self._store.create(scope)
        remembered = self._ledger.documents(base.tenant, base.name)
        total = sum(document.chunks for document in remembered)
        if (base.tenant, base.name) in self._compared and self._store.count(scope, scope.chunks()) == total:
            return
        counted = self._store.chunk_counts(scope)
        if lost := missing(remembered, counted, self._clock()):
            self._ledger.put(*lost)
        for stranger in strangers(remembered, counted):
            self._store.delete(scope, scope.document(stranger))

    def _tidy_one(self) -> bool:
        """Tidy a knowledge base without due work, or overdue for tidying. Returns whether there was one."""
        now = self._clock()
        for key, chunks in self._untidy.items():
            ripe = chunks >= TIDY_CHUNKS or not self._ledger.is_due(*key, now)
            if ripe and not self._failures.waits(key, Task.TIDY, now):
                self._attempt(key, Task.TIDY, partial(self._tidy, key))
                return True
        return False

    def _tidy(self, key: Key) -> None:
        """Renew the statistics of a whole knowledge base for searches."""
        tenant, name = key
        scope = Scope(tenant, (name,))
        self._store.publish(tenant, KnowledgeBaseRow(name, Statistics.of(self._store.terms(scope, SAMPLED_CHUNKS))))
        self._store.settle(scope)
        self._untidy.pop(key, None)

    def _leave(self, tenant: str, name: str) -> None:
        """Delete a knowledge base, and with a tenant's last one its collection. If it is desired again meanwhile, it
        stays, and is compared and indexed anew."""
        staying = self._ledger.desired_of(tenant)
        if name in staying:
            return
        self._scans.pop((tenant, name), None)  # its documents are not worked on any more
        if tenant in self._store.tenants():
            if staying:
                scope = Scope(tenant, (name,))
                self._store.delete(scope, scope.filter())
            else:
                self._store.drop(tenant)
        self._ledger.forget(tenant, name)
        self._forget(tenant, name)
        log.info("%s/%s: deleted", tenant, name)

    def _forget(self, tenant: str, name: str) -> None:
        for key in [key for key in self._compared if key[0] == tenant]:  # the collection may be gone for all of them
            del self._compared[key]
        self._untidy.pop((tenant, name), None)
        self._failures.forget((tenant, name))

    def _sweep(self, tenant: str) -> None:
        """Delete a tenant's stored but undesired data: after the loss of a ledger nothing else would."""
        staying = self._ledger.desired_of(tenant)
        if staying:
            for name in self._store.knowledge_bases(tenant) - staying:
                self._leave(tenant, name)
        else:
            self._store.drop(tenant)
            log.info("%s: deleted, as nobody wants it", tenant)
        self._swept.add(tenant)

    def _work(self, document: Document) -> None:
        scanned = self._scans.get((document.tenant, document.knowledge_base))
        file = scanned.files.get(document.id) if scanned else None
        if scanned is None or file is None:  # for a temporarily unreadable source: the next look decides
            self._ledger.put(replace(document, due=self._clock() + self._rescan_seconds))
            return
        try:
            self._index_or_reject(scanned.wanted, file, document)
        except DocumentUnavailableError as error:
            self._postpone(document, error.reason, str(error))
        except NoSpaceError as error:
            self._postpone(document, reasons.NO_SPACE, str(error))
        except StoreError as error:
            self._compared.clear()
            self._postpone(document, reasons.STORE_UNAVAILABLE, str(error))
        except Exception as error:  # a fault of ours on one document must not keep the others waiting
            log.exception("%s/%s: %s failed", document.tenant, document.knowledge_base, document.path)
            message = f"indexing it failed ({type(error).__name__}): the log of the worker has the details."
            self._postpone(document, reasons.INTERNAL, message)

    def _index_or_reject(self, base: DesiredKnowledgeBase, file: File, document: Document) -> None:
        try:
            self._index(base, file, document)
        except DocumentUnavailableError:
            raise
        except DocumentError as error:
            self._reject(base, document, error)

    def _index(self, base: DesiredKnowledgeBase, file: File, document: Document) -> None:
        def enter(state: DocumentState, digest: str) -> None:
            self._ledger.put(replace(document, state=state, digest=digest, reason="", message=""))

        indexed = self._pipeline.index(base, file, document, enter)
        ready = replace(document, state=DocumentState.READY, reason="", message="", attempts=0, due=None)
        self._ledger.put(replace(ready, digest=indexed.digest, version=indexed.version, chunks=indexed.chunks))
        log.info("%s/%s: %s is ready, %s chunks", document.tenant, base.name, document.path, indexed.chunks)
        key = (document.tenant, base.name)
        self._untidy[key] += 1 + indexed.chunks

    def _reject(self, base: DesiredKnowledgeBase, document: Document, error: DocumentError) -> None:
        """The file as it is now holds nothing to search, so nothing of an earlier version stays searchable."""
        scope = Scope(document.tenant, (document.knowledge_base,))
        self._store.delete(scope, scope.document(document.id))
        self._untidy[document.tenant, document.knowledge_base] += 1
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

    def _status(self, base: DesiredKnowledgeBase) -> IndexedKnowledgeBase:
        key = (base.tenant, base.name)
        documents = self._ledger.documents(*key)
        scanned = self._scans.get(key)
        looked = scanned is not None and scanned.wanted == base
        message = self._failures.message(key) or (scanned.message if scanned and looked else "")
        return IndexedKnowledgeBase(
            tenant=base.tenant,
            name=base.name,
            ready=looked and not message and all(document.due is None for document in documents),
            message=message,
            chunks=sum(document.chunks for document in documents),
            documents=[
                IndexedDocument(
                    path=document.path,
                    digest=document.digest,
                    state=document.state,
                    reason=document.reason,
                    message=document.message,
                    chunks=document.chunks,
                )
                for document in documents
            ],
        )

    def _stumble(self, message: str) -> float:
        """Store or ledger may have lost data: compare anew. Returns the seconds to wait."""
        self._compared.clear()
        self._swept.clear()
        self._look.set()
        self._set_message(message)
        return PAUSE_SECONDS

    def _set_message(self, message: str) -> None:
        if message != self._message:
            self._message = message
            if message:
                log.warning("%s", message)
            self._changed()


def _described(key: Key, task: Task, error: Exception) -> str:
    """Logs and returns the failure of a knowledge base in words."""
    name = "/".join(filter(None, key))
    if isinstance(error, RetrievalError):
        log.warning("%s: %s", name, error)
        return f"{name}: {error}"
    log.error("%s: the %s failed", name, task, exc_info=error)
    message = f"the {task} failed ({type(error).__name__})"
    return f"{name}: {message}: the log of the worker has the details; it is tried again."
