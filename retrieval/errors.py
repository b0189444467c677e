"""The tree of errors. Each has an HTTP status, and a code for programs.

    RetrievalError
    ├── InvalidRequestError         422  an invalid name
    ├── TextTooLongError            422  a text longer than the embedder reads
    ├── EmptyScopeError             422  a scope or filter without a tenant, knowledge base or value
    ├── UnknownKnowledgeBaseError   404  the tenant has no knowledge base of that name
    ├── IsolationError              500  the store returned a row from outside the scope
    ├── EmbedderError               503  the embedder cannot be used, or does not answer
    ├── RerankerError               503  the re-ranker cannot be used, or does not answer
    ├── StoreError                  503  Milvus does not answer, or answers with an error
    │   └── StoreUnsupportedError   503  this version of Milvus lacks what the store needs
    ├── NotFoundError               404  a file, vector store or batch that the tenant does not have
    ├── UnknownTenantError          503  the tenant's object has not arrived yet
    ├── ConflictError               409  the object's owner is elsewhere
    ├── QuotaError                  403  a limit of the tenant's uploads
    ├── FileTooLargeError           413  a file over the limit for one file
    ├── RecordsError                503  the database of files and vector stores does not answer
    ├── BlobsError                  503  the object store does not answer
    ├── NoSpaceError                507  Milvus, the ledger, the database or the object store has no disk left
    └── DocumentError               (status of one document, never an HTTP answer)
        └── DocumentUnavailableError

Errors of pymilvus, gRPC, sqlite3, SQLAlchemy, boto3, urllib3 and onnxruntime are translated only where these libraries
are called.
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


class RerankerError(RetrievalError):
    status, code = 503, "reranker_unavailable"


class StoreError(RetrievalError):
    status, code = 503, "store_unavailable"


class StoreUnsupportedError(StoreError):
    status, code = 503, "store_unsupported"


class NotFoundError(RetrievalError):
    status, code = 404, "not_found"


class UnknownTenantError(RetrievalError):
    status, code = 503, "tenant_not_ready"


class ConflictError(RetrievalError):
    status, code = 409, "conflict"


class QuotaError(RetrievalError):
    status, code = 403, "quota_exceeded"


class FileTooLargeError(RetrievalError):
    status, code = 413, "file_too_large"


class RecordsError(RetrievalError):
    status, code = 503, "records_unavailable"


class BlobsError(RetrievalError):
    status, code = 503, "object_store_unavailable"


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
