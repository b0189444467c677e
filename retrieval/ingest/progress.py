"""Memory of the worker's parts between two turns. The worker's thread alone writes to it."""

from collections import Counter
from dataclasses import dataclass, field

from contract.ingest import DesiredKnowledgeBase
from retrieval.ingest.ledger import Document
from retrieval.ingest.scan import File
from retrieval.ingest.task_failures import Key, TaskFailures


@dataclass(frozen=True)
class ScanResult:
    """The last scan of a knowledge base's sources; `unread` are unreadable sources."""

    base: DesiredKnowledgeBase
    files: dict[str, File]  # by document id
    unread: frozenset[str]
    message: str

    def decides_on(self, document: Document) -> bool:
        """Unreadable sources remove nothing: neither their own documents, nor, meanwhile, documents of a source dropped
        from the spec, because its path may be mistyped now."""
        named = any(source.path == document.source for source in self.base.sources)
        return document.source not in self.unread and (named or not self.unread)


@dataclass
class Progress:
    scans: dict[Key, ScanResult] = field(default_factory=dict)
    compared: dict[Key, float] = field(default_factory=dict)
    """When with the store's totals; reset after a loss of the store."""
    untidy: Counter[Key] = field(default_factory=Counter)
    """Chunks written since the statistics were renewed."""
    swept: set[str] = field(default_factory=set)
    """Tenants without undesired data in the store."""
    failures: TaskFailures = field(default_factory=TaskFailures)

    def forget(self, tenant: str, name: str) -> None:
        """Of a deleted knowledge base. The collection may be gone for all of the tenant's."""
        for key in [key for key in self.compared if key[0] == tenant]:
            del self.compared[key]
        self.untidy.pop((tenant, name), None)
        self.failures.forget((tenant, name))

    def doubt_store(self) -> None:
        """Store or ledger may have lost data: everything is compared anew."""
        self.compared.clear()
        self.swept.clear()
