"""The loop aligning the store with the sources. Level-triggered: every turn looks again."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from contract.ingest import DesiredKnowledgeBase, IndexedDocument, IndexedKnowledgeBase
from retrieval.errors import RetrievalError, StoreError
from retrieval.ingest.departure import Departure
from retrieval.ingest.indexing import Indexing
from retrieval.ingest.jobs import Jobs
from retrieval.ingest.ledger import Document, Ledger, LedgerError
from retrieval.ingest.pipeline import Pipeline
from retrieval.ingest.progress import Progress
from retrieval.ingest.scan import File, exists
from retrieval.ingest.scan_requests import ScanRequests
from retrieval.ingest.scanner import Scanner, passed
from retrieval.ingest.task_failures import Key, Task
from retrieval.ingest.term_statistics import TermStatistics
from retrieval.store.probe import prove_isolation

PAUSE_SECONDS = 1.0  # after a failure of the store or the ledger
TIDY_CHUNKS = 256  # a knowledge base is tidied after so many written chunks, or sooner if nothing of it is due
STARTING = "The worker has not looked at its sources yet."

log = logging.getLogger(__name__)


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
        uploads: Callable[[str, str], list[File]] = lambda _tenant, _name: [],
    ) -> None:
        self._store, self._ledger, self._dimensions = pipeline.store, ledger, pipeline.embedder.dimensions
        self._rescan_seconds, self._changed, self._clock = rescan_seconds, changed, clock
        self._progress = progress = Progress()
        self._scanner = Scanner(pipeline, ledger, progress, clock=clock, changed=changed, uploads=uploads)
        self._departure = Departure(pipeline.store, ledger, progress)
        self._statistics = TermStatistics(pipeline.store, ledger, progress)
        self._indexing = Indexing(
            pipeline, ledger, progress, self._statistics, clock=clock, rescan_seconds=rescan_seconds
        )
        self._jobs = Jobs(self._indexing.is_listed)
        self._looked = -math.inf
        self._wake, self._stopped, self._rescan_requested = threading.Event(), threading.Event(), threading.Event()
        self._requests = ScanRequests()
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
        """Requests a scan: the sources or the desired set may have changed."""
        self._rescan_requested.set()
        self._wake.set()

    def set_desired(self, listed: list[DesiredKnowledgeBase]) -> None:
        """Make this the desired set."""
        self._ledger.set_desired(listed)
        self.look()

    def look_at(self, keys: Iterable[Key]) -> None:
        """Requests a scan of these knowledge bases alone: their uploads changed."""
        self._requests.add(keys)
        self._wake.set()

    def roots(self) -> list[Path]:
        """The existing sources to watch."""
        sources = {source.path for base in self._ledger.desired() for source in base.sources}
        return sorted(Path(source) for source in sources if exists(source))

    def status(self) -> list[IndexedKnowledgeBase]:
        return [self._status(base) for base in self._ledger.desired()]

    def turn(self) -> float:
        """Scans, takes the documents in work a step further and tidies, each if due. Returns the seconds to wait."""
        if self._rescan_requested.is_set() or passed(self._clock(), self._rescan_seconds, self._looked):
            self._rescan_requested.clear()
            self._looked = self._clock()
            self._scan_all()
        self._scan_requested()
        self._begin()
        self._jobs.advance()
        if self._tidy_one() or self._jobs or self._ledger.next(self._clock(), "") is not None:
            return 0.0
        due = self._ledger.next_due() or math.inf
        pause = max(0.0, min(due, self._looked + self._rescan_seconds) - self._clock())
        return min(pause, self._requests.pause)

    def _next(self) -> Document | None:
        """Of a tenant with nothing in work; else another one of a tenant that has."""
        if not self._jobs.has_room:
            return None
        now, documents = self._clock(), self._jobs.documents
        if document := self._ledger.next(now, self._last_tenant, self._jobs.tenants, documents):
            return document
        return self._ledger.next(now, self._last_tenant, in_work=documents) if self._jobs.has_more_room else None

    def _begin(self) -> None:
        document = self._next()
        if document is None:
            return
        self._last_tenant = document.tenant
        if self._indexing.is_current(document):
            self._jobs.add(document, self._indexing.steps(document))
        else:
            self._indexing.defer(document)

    def _prove(self) -> float:
        """Nothing is written for a tenant before the store has proven its isolation."""
        prove_isolation(self._store, self._dimensions)
        self._proven = True
        return 0.0

    def _scan_all(self) -> None:
        for leaving in self._ledger.leaving():
            key = (leaving.tenant, leaving.name)
            self._attempt(key, Task.LEAVE, partial(self._departure.leave, *key))
        if self._ledger.has_desired_set():
            for tenant in self._store.tenants() - self._progress.swept:
                self._attempt((tenant, ""), Task.LEAVE, partial(self._departure.sweep, tenant))
        for base in self._ledger.desired():
            self._attempt((base.tenant, base.name), Task.LOOK, partial(self._scanner.scan, base))

    def _scan_requested(self) -> None:
        requested = self._requests.take()
        for base in self._ledger.desired() if requested else []:
            key = (base.tenant, base.name)
            if key in requested:
                with self._requests.scanning(key):
                    self._attempt(key, Task.LOOK, partial(self._scanner.scan, base))

    def _attempt(self, key: Key, task: Task, act: Callable[[], None]) -> None:
        """A failure of one knowledge base is reported on it and retried later, while the others go on. A failing ledger
        or unreachable store fails the turn."""
        if self._progress.failures.waits(key, task, self._clock()):
            return
        try:
            act()
        except LedgerError:
            raise
        except Exception as error:
            if isinstance(error, StoreError):
                self._store.ping()
            self._progress.compared.pop(key, None)
            self._progress.failures.add(key, task, _described(key, task, error), self._clock())
            self._changed()
        else:
            if self._progress.failures.settle(key, task):
                self._changed()

    def _tidy_one(self) -> bool:
        """Tidy a knowledge base without due work, or overdue for tidying. Returns whether there was one."""
        now = self._clock()
        for key, chunks in self._progress.untidy.items():
            ripe = chunks >= TIDY_CHUNKS or not self._ledger.is_due(*key, now)
            if ripe and not self._progress.failures.waits(key, Task.TIDY, now):
                self._attempt(key, Task.TIDY, partial(self._statistics.renew, key))
                return True
        return False

    def _status(self, base: DesiredKnowledgeBase) -> IndexedKnowledgeBase:
        key = (base.tenant, base.name)
        documents = self._ledger.documents(*key)
        scanned = self._progress.scans.get(key)
        looked = scanned is not None and scanned.base == base
        message = self._progress.failures.message(key) or (scanned.message if scanned and looked else "")
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
        self._progress.doubt_store()
        self._rescan_requested.set()
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
