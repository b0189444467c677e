"""Scans the sources of a knowledge base, and plans the work on its documents."""

import math
from collections.abc import Callable, Iterator
from functools import partial

from contract.ingest import DesiredKnowledgeBase
from retrieval.ingest.ledger import Ledger
from retrieval.ingest.listing import Listing, listing, within
from retrieval.ingest.pipeline import Pipeline
from retrieval.ingest.plan import document_id, missing, plan, strangers
from retrieval.ingest.progress import Progress, ScanResult
from retrieval.ingest.scan import File, SourceError, scan
from retrieval.scope import Scope

COMPARE_SECONDS = 30.0  # between two comparisons of ledger and store, because a store can lose acknowledged data


class Scanner:
    """`changed` is called after every change visible in a status; `uploads` returns a knowledge base's uploads."""

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: Ledger,
        progress: Progress,
        *,
        clock: Callable[[], float],
        changed: Callable[[], None],
        uploads: Callable[[str, str], list[File]],
    ) -> None:
        self._store, self._limits, self._index_id = pipeline.store, pipeline.limits, pipeline.index_id
        self._ledger, self._progress = ledger, progress
        self._clock, self._changed, self._uploads = clock, changed, uploads

    def scan(self, base: DesiredKnowledgeBase) -> None:
        key = (base.tenant, base.name)
        scope = Scope(base.tenant, (base.name,))
        if passed(self._clock(), COMPARE_SECONDS, self._progress.compared.get(key, -math.inf)):
            self._compare(base, scope)
            self._progress.compared[key] = self._clock()
        if key not in self._progress.scans:  # the statistics may lack chunks that were written before a restart
            self._progress.untidy[key] += 1
        scanned = self._look(base)
        remembered = [d for d in self._ledger.documents(*key) if scanned.decides_on(d)]
        todo = plan(base, list(scanned.files.values()), remembered, self._clock(), self._limits, self._index_id)
        if todo.changed:
            self._ledger.put(*todo.changed)
        if todo.gone:
            self._progress.untidy[key] += 1
        for document in todo.gone:
            self._store.delete(scope, scope.document(document.id))
            self._ledger.remove(document.id)
        if self._progress.scans.get(key, scanned).message != scanned.message or key not in self._progress.scans:
            self._changed()
        self._progress.scans[key] = scanned

    def _look(self, base: DesiredKnowledgeBase) -> ScanResult:
        remembered = self._ledger.documents(base.tenant, base.name)
        listings: list[Listing] = []
        failed: dict[str, str] = {}
        for source in {source.path: source for source in base.sources}:
            indexed = {document.path for document in remembered if document.source == source}
            try:
                listings.append(scan(source, partial(listing, indexed=indexed, most=self._limits.files)))
            except SourceError as error:
                failed[source] = str(error)
        kept = sum(document.source in failed for document in remembered)
        is_mistyped = not failed.keys() <= {document.source for document in remembered}
        files, left_out = within(listings, kept, self._limits.files)
        messages = [*failed.values(), *self._over_limit(len(files) + kept, left_out)]
        by_id = {document_id(base, file): file for file in (*files, *self._uploads(base.tenant, base.name))}
        return ScanResult(base, by_id, frozenset(failed), is_mistyped, " ".join(messages))

    def _over_limit(self, listed: int, left_out: int) -> Iterator[str]:
        if left_out:
            yield (
                f"The knowledge base has {listed + left_out:,} files, over {self._limits.files:,}: {left_out:,} new "
                "ones are not indexed. Remove files, or split it."
            )

    def _compare(self, base: DesiredKnowledgeBase, scope: Scope) -> None:
        """Documents with lost chunks become pending; unknown ones are deleted. If totals agree, no more is compared;
        nothing is of a knowledge base that is kept as it is."""
        self._store.create(scope)
        self._store.drop_emptied(base.tenant)
        if base.kept:
            return
        remembered = self._ledger.documents(base.tenant, base.name)
        total = sum(document.chunks for document in remembered)
        if (base.tenant, base.name) in self._progress.compared and self._store.count(scope, scope.chunks()) == total:
            return
        counted = self._store.chunk_counts(scope)
        if lost := missing(remembered, counted, self._clock()):
            self._ledger.put(*lost)
        for stranger in strangers(remembered, counted):
            self._store.delete(scope, scope.document(stranger))


def passed(now: float, seconds: float, since: float) -> bool:
    """True if `seconds` have passed. True also if the clock was set back, because the true time is unknown then."""
    return not 0 <= now - since < seconds
