"""Errors as a tree. The status is the HTTP answer; programs compare the code.

    RetrievalError
    ├── InvalidRequestError         422  a name that cannot be one
    ├── TextTooLongError            422  a text is longer than the embedder reads
    ├── EmptyScopeError             422  a scope without a tenant or without knowledge bases
    ├── UnknownKnowledgeBaseError   404  the tenant has no knowledge base of that name
    ├── IsolationError              500  the store returned a row from outside the scope
    ├── EmbedderError               503  the model folder cannot be used
    ├── StoreError                  503  Milvus does not answer, or answers with an error
    ├── NoSpaceError                507  Milvus or the ledger has no disk left
    └── DocumentError               (status of one document, never an HTTP answer)
        └── DocumentUnavailableError

Errors of pymilvus, sqlite3 and onnxruntime are translated where they are called and nowhere else.
"""

from service.errors import ServiceError


class RetrievalError(ServiceError):
    """The root; its text names the object, the fact and the remedy."""


class InvalidRequestError(RetrievalError):
    status, code = 422, "invalid_request"


class TextTooLongError(RetrievalError):
    status, code = 422, "text_too_long"


class EmptyScopeError(RetrievalError):
    status, code = 422, "empty_scope"


class UnknownKnowledgeBaseError(RetrievalError):
    status, code = 404, "unknown_knowledge_base"


class IsolationError(RetrievalError):
    status, code = 500, "isolation_broken"


class EmbedderError(RetrievalError):
    status, code = 503, "embedder_unavailable"


class StoreError(RetrievalError):
    status, code = 503, "store_unavailable"


class NoSpaceError(RetrievalError):
    status, code = 507, "no_space"


class DocumentError(RetrievalError):
    """One document cannot be indexed; `reason` is a CamelCase word from `retrieval.ingest.reasons`."""

    code = "document_rejected"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DocumentUnavailableError(DocumentError):
    """Temporarily unreadable for an external reason: stored chunks stay, and it is tried again."""
