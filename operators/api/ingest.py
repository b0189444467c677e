"""What the operator and the ingest worker say to each other."""

from operators.api.knowledge_base import Document
from operators.api.value import Name, Value


class IndexedDocument(Document):
    digest: str | None = None


class IndexedKnowledgeBase(Value):
    """What the worker has done for one knowledge base."""

    tenant: Name
    name: Name
    ready: bool
    chunks: int
    documents: tuple[IndexedDocument, ...] = ()
    message: str = ""


class IngestStatus(Value):
    revision: int
    knowledge_bases: tuple[IndexedKnowledgeBase, ...] = ()

    def report(self, tenant: str, name: str) -> IndexedKnowledgeBase | None:
        return next((k for k in self.knowledge_bases if (k.tenant, k.name) == (tenant, name)), None)
