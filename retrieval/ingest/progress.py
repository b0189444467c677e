"""The memory of the worker's parts between two turns. Only the worker's thread writes to it."""

from collections import Counter
from dataclasses import dataclass, field

from contract.ingest import DesiredKnowledgeBase
from retrieval.ingest.ledger import Document
from retrieval.ingest.scan import File
from retrieval.ingest.task_failures import Key, TaskFailures


@dataclass(frozen=True)
class ScanResult:
    """The last scan of a knowledge base's sources. `unread` are sources that could not be read; `is_mistyped` says that
    one of them was never read, so its path may be a typo for one that left the spec."""

    base: DesiredKnowledgeBase
    files: dict[str, File]  # by document id
    unread: frozenset[str]
    is_mistyped: bool
    message: str

    def decides_on(self, document: Document) -> bool:
        """True if the scan may remove or change this document. An unreadable source keeps its documents; a source that
        left the spec does so only while another's path may be mistyped. With a kept knowledge base, folders do not
        count."""
        if document.is_upload:
            return True
        if self.base.kept:
            return False
        named = any(source.path == document.source for source in self.base.sources)
        return document.source not in self.unread and (named or not self.is_mistyped)


@dataclass
class Progress:
    scans: dict[Key, ScanResult] = field(default_factory=dict)
    compared: dict[Key, float] = field(default_factory=dict)
    """When the ledger was last compared with the store; deleted if the store may have lost data."""
    untidy: Counter[Key] = field(default_factory=Counter)
    """Changed documents and chunks since the statistics were renewed."""
    swept: set[str] = field(default_factory=set)
    """Tenants without undesired data in the store."""
    failures: TaskFailures = field(default_factory=TaskFailures)

    def forget(self, tenant: str, name: str) -> None:
        """Forget a deleted knowledge base, and all comparisons of its tenant, whose collection may be deleted too."""
        for key in [key for key in self.compared if key[0] == tenant]:
            del self.compared[key]
        self.untidy.pop((tenant, name), None)
        self.failures.forget((tenant, name))

    def doubt_store(self) -> None:
        """Compare everything again, because the store or the ledger may have lost data."""
        self.compared.clear()
        self.swept.clear()
