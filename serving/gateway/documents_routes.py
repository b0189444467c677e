"""The routes of files and vector stores, which the ingest worker answers (pure)."""

import re
from collections.abc import Mapping

SEARCH = "/v1/vector_stores/{vector_store_id}/search"
UPLOAD = "/v1/files"
# By path: the methods, and what each does.
ROUTES: Mapping[str, Mapping[str, str]] = {
    UPLOAD: {"GET": "Lists uploaded files", "POST": "Uploads a file, as the form fields `file` and `purpose`"},
    "/v1/files/usage": {"GET": "Counts the uploaded files and their bytes"},
    "/v1/files/{file_id}": {"GET": "Shows a file", "DELETE": "Deletes a file, and takes it out of every vector store"},
    "/v1/files/{file_id}/content": {"GET": "Returns a file's bytes"},
    "/v1/vector_stores": {"GET": "Lists vector stores", "POST": "Makes a vector store"},
    "/v1/vector_stores/{vector_store_id}": {
        "GET": "Shows a vector store",
        "POST": "Changes a vector store's name or metadata",
        "DELETE": "Deletes a vector store; its files stay",
    },
    SEARCH: {"POST": "Finds passages"},
    "/v1/vector_stores/{vector_store_id}/files": {
        "GET": "Lists the documents of a vector store",
        "POST": "Adds a file to a vector store",
    },
    "/v1/vector_stores/{vector_store_id}/files/{file_id}": {
        "GET": "Shows a document and its progress",
        "POST": "Changes a document's attributes",
        "DELETE": "Takes a file out of a vector store; the file stays",
    },
    "/v1/vector_stores/{vector_store_id}/files/{file_id}/content": {"GET": "Returns a document's passages"},
    "/v1/vector_stores/{vector_store_id}/web_sources": {
        "GET": "Lists the web sources of a vector store",
        "POST": "Adds a page or a part of a site, to be looked at on a schedule",
    },
    "/v1/vector_stores/{vector_store_id}/web_sources/{source_id}": {
        "GET": "Shows a web source and its last look",
        "DELETE": "Removes a web source and its documents",
    },
    "/v1/vector_stores/{vector_store_id}/web_sources/{source_id}/look": {"POST": "Looks at a web source now"},
    "/v1/vector_stores/{vector_store_id}/file_batches": {"POST": "Adds several files to a vector store"},
    "/v1/vector_stores/{vector_store_id}/file_batches/{batch_id}": {"GET": "Shows a batch and its progress"},
    "/v1/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel": {"POST": "Cancels a batch"},
    "/v1/vector_stores/{vector_store_id}/file_batches/{batch_id}/files": {"GET": "Lists the documents of a batch"},
    "/v1/deletions": {"GET": "Lists records of deletions"},
    "/v1/deletions/{deletion_id}": {"GET": "Shows the signed record of a deletion"},
}
_PREFIXES = ("/v1/files", "/v1/vector_stores", "/v1/deletions")
# An id has no dot, so a path cannot leave its tenant's part.
_PATTERNS = {path: re.compile(re.sub(r"\{[a-z_]+\}", "[A-Za-z0-9_-]{1,128}", path)) for path in ROUTES}


def is_documents_path(path: str) -> bool:
    return path in _PREFIXES or path.startswith(tuple(f"{prefix}/" for prefix in _PREFIXES))


def route(path: str) -> str | None:
    """The path's route; None if there is none."""
    return next((name for name, pattern in _PATTERNS.items() if pattern.fullmatch(path)), None)
