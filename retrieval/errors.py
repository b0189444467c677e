"""The tree of errors. Each has an HTTP status, and a code for programs.

    RetrievalError
    ├── InvalidRequestError         422  an invalid name
    ├── TextTooLongError            422  a text longer than the embedder reads
    ├── EmptyScopeError             422  a scope or filter without a tenant, knowledge base or value
    ├── UnknownKnowledgeBaseError   404  the tenant has no knowledge base of that name
    ├── IsolationError              500  the store returned a row from outside the scope
    ├── EmbedderError               503  the model folder cannot be used
    ├── StoreError                  503  Milvus does not answer, or answers with an error
    │   └── StoreUnsupportedError   503  this version of Milvus lacks what the store needs
    ├── NoSpaceError                507  Milvus or the ledger has no disk left
    └── DocumentError               (status of one document, never an HTTP answer)
        └── DocumentUnavailableError

Errors of pymilvus, sqlite3 and onnxruntime are translated only where these libraries are called.
"""

from service.errors import ServiceError


class RetrievalError(ServiceError):
    """The root. The message names the object, the fault and the remedy."""


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


class StoreUnsupportedError(StoreError):
    status, code = 503, "store_unsupported"


class NoSpaceError(RetrievalError):
    status, code = 507, "no_space"


class DocumentError(RetrievalError):
    """One document cannot be indexed; `reason` is a CamelCase word from `retrieval.ingest.reasons`."""

    code = "document_rejected"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DocumentUnavailableError(DocumentError):
    """A document is unreadable for a temporary, external reason: stored chunks stay, and it is tried again."""
