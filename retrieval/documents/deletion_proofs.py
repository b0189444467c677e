"""Searches for deleted files and vector stores, and signs that nothing was found. Every method blocks."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from retrieval.blobs import Blobs
from retrieval.documents import attachments, deletions, files, vector_stores
from retrieval.documents.database import Database
from retrieval.documents.deletions import Deletion
from retrieval.documents.files import blob_key
from retrieval.documents.index_wait import IndexWait
from retrieval.documents.pages import Page, Window
from retrieval.documents.signing import Signer
from retrieval.errors import NotFoundError, RetrievalError
from retrieval.scope import Scope
from service.clock import microseconds

log = logging.getLogger(__name__)


def statement(deletion: Deletion) -> Mapping[str, object]:
    """The signed part of a record."""
    return {
        "id": deletion.id,
        "tenant": deletion.tenant,
        "deleted_at": deletion.created // 1_000_000,
        "kind": deletion.kind,
        "subject": deletion.subject,
        "checked_at": deletion.checked // 1_000_000,
        "findings": dict(deletion.findings),
    }


@dataclass(frozen=True)
class DeletionProofs:
    database: Database
    blobs: Blobs
    index: IndexWait
    signer: Signer

    def get(self, tenant: str, deletion_id: str) -> Deletion:
        with self.database.reads() as connection:
            deletion = deletions.get(connection, tenant, deletion_id)
        if deletion is None:
            raise NotFoundError(f"No deletion found with id '{deletion_id[:80]}'.")
        return deletion

    def of_tenant(self, tenant: str, window: Window) -> Page[Deletion]:
        with self.database.reads() as connection:
            return deletions.of_tenant(connection, tenant, window)

    def prove(self, deletion: Deletion) -> Deletion:
        """Unchanged if anything is still there, or cannot be searched for now."""
        try:
            findings = self._findings(deletion)
        except RetrievalError as error:
            log.warning("%s: it cannot be searched for %s: %s", deletion.tenant, deletion.subject, error)
            return deletion
        if any(findings.values()):
            return deletion
        checked = replace(deletion, checked=microseconds(), findings=findings)
        proven = replace(checked, signature=self.signer.signature(statement(checked)))
        with self.database.writes() as connection:
            deletions.prove(connection, proven)
        return proven

    def prove_all(self) -> None:
        """The deletions that a busy worker, or a crash, has left unproven."""
        with self.database.reads() as connection:
            left = deletions.unproven(connection)
        for deletion in left:
            self.prove(deletion)

    def _findings(self, deletion: Deletion) -> Mapping[str, int]:
        """What is still there, counted by fresh reads of store, ledger, database and object store."""
        is_file = deletion.kind == "file"
        passages = progress = 0
        for name in deletion.knowledge_bases:
            scope = Scope(deletion.tenant, (name,))
            condition = scope.file(deletion.subject) if is_file else scope.filter()
            passages += self.index.store.count(scope, condition)
            progress += self.index.has_progress((deletion.tenant, name), deletion.subject if is_file else None)
        return {"passages": passages, "progress": progress, **self._records(deletion)}

    def _records(self, deletion: Deletion) -> Mapping[str, int]:
        with self.database.reads() as connection:
            if deletion.kind == "vector_store":
                (name,) = deletion.knowledge_bases
                return {"records": int(vector_stores.get(connection, deletion.tenant, name) is not None)}
            records = files.exists(connection, deletion.subject) + len(
                attachments.stores_of(connection, deletion.subject)
            )
        is_stored = self.blobs.read(blob_key(deletion.tenant, deletion.subject), 1) is not None
        return {"records": records, "bytes": int(is_stored)}
