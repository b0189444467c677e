"""Deletes knowledge bases and tenants no longer desired."""

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
        """Delete a knowledge base, and with a tenant's last one its collection. If it is desired again meanwhile, it
        stays, and is compared and indexed anew."""
        staying = self._ledger.desired_of(tenant)
        if name in staying:
            return
        self._progress.scans.pop((tenant, name), None)  # its documents are not worked on any more
        if tenant in self._store.tenants():
            if staying:
                scope = Scope(tenant, (name,))
                self._store.delete(scope, scope.filter())
            else:
                self._store.drop(tenant)
        self._ledger.forget(tenant, name)
        self._progress.forget(tenant, name)
        log.info("%s/%s: deleted", tenant, name)

    def sweep(self, tenant: str) -> None:
        """Delete a tenant's stored but undesired data: after the loss of a ledger nothing else would."""
        staying = self._ledger.desired_of(tenant)
        if staying:
            for name in self._store.knowledge_bases(tenant) - staying:
                self.leave(tenant, name)
        else:
            self._store.drop(tenant)
            log.info("%s: deleted, as nobody wants it", tenant)
        self._progress.swept.add(tenant)
