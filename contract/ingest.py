"""What the operator and the ingest worker say to each other."""

from pydantic import ConfigDict

from contract.knowledge_base import Document
from contract.value import Name, Value


class Reply(Value):
    """The worker has a schema of its own: what it says beyond this is its own affair."""

    model_config = ConfigDict(extra="ignore")


class IndexedDocument(Document):
    model_config = ConfigDict(extra="ignore")


class IndexedKnowledgeBase(Reply):
    """What the worker has done for one knowledge base; `message` says what is wrong with the whole of it."""

    tenant: Name
    name: Name
    ready: bool
    chunks: int
    documents: tuple[IndexedDocument, ...] = ()
    message: str = ""


class IngestStatus(Reply):
    """`message` says what stops the worker as a whole."""

    revision: int
    message: str = ""
    knowledge_bases: tuple[IndexedKnowledgeBase, ...] = ()

    def report(self, tenant: str, name: str) -> IndexedKnowledgeBase | None:
        return next((k for k in self.knowledge_bases if (k.tenant, k.name) == (tenant, name)), None)
