"""Deletes the stored data of knowledge bases and tenants that are no longer desired."""

import logging

from retrieval.ingest.ledger import Ledger
from retrieval.ingest.progress import Progress
from retrieval.scope import Scope
from retrieval.store import Store

log = logging.getLogger(__name__)


class Departure:
    def __init__(self, store: Store, ledger: Ledger, progress: Progress) -> None:
        self._store, self._ledger, self._progress = store, ledger, progress

    def leave(self, tenant: str, name: str) -> None:
        """Delete a knowledge base, and with a tenant's last one the tenant's collection. If it is desired again
        meanwhile, it stays, and is compared and indexed again."""
        staying = self._ledger.desired_of(tenant)
        if name in staying:
            return
        self._progress.scans.pop((tenant, name), None)  # stops work on its documents
        if staying:
            scope = Scope(tenant, (name,))
            self._store.delete(scope, scope.filter())
        else:
            self._store.drop(tenant)
        self._ledger.forget(tenant, name)
        self._progress.forget(tenant, name)
        log.info("%s/%s: deleted", tenant, name)

    def sweep(self, tenant: str) -> None:
        """Delete a tenant's undesired data. After the loss of a ledger, nothing else would delete them."""
        staying = self._ledger.desired_of(tenant)
        if staying:
            for name in self._store.knowledge_bases(tenant) - staying:
                self.leave(tenant, name)
        else:
            self._store.drop(tenant)
            log.info("%s: deleted, because none of its knowledge bases is desired", tenant)
        self._progress.swept.add(tenant)
