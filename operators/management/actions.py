"""Names changes of documents for the record (pure)."""

import json
import re
from collections.abc import Sequence

# By method and path; the first match counts.
_ACTIONS: Sequence[tuple[str, re.Pattern[str], str]] = tuple(
    (method, re.compile(path), action)
    for method, path, action in (
        ("POST", r"/v1/files", "file.upload"),
        ("DELETE", r"/v1/files/[^/]+", "file.delete"),
        ("POST", r"/v1/vector_stores", "store.create"),
        ("DELETE", r"/v1/vector_stores/[^/]+", "store.delete"),
        ("POST", r"/v1/vector_stores/[^/]+", "store.change"),
        ("POST", r"/v1/vector_stores/[^/]+/files", "document.add"),
        ("POST", r"/v1/vector_stores/[^/]+/file_batches", "document.add"),
        ("DELETE", r"/v1/vector_stores/[^/]+/files/[^/]+", "document.remove"),
        ("POST", r"/v1/vector_stores/[^/]+/web_sources", "web.add"),
        ("DELETE", r"/v1/vector_stores/[^/]+/web_sources/[^/]+", "web.remove"),
        ("POST", r"/v1/vector_stores/[^/]+/web_sources/[^/]+/look", "web.look"),
    )
)


def action(method: str, path: str) -> str:
    named = (name for each, pattern, name in _ACTIONS if each == method and pattern.fullmatch(path))
    return next(named, "document.change")


def subject(path: str, answer: bytes) -> str:
    """The changed object: its name and id in the answer, or else the path."""
    try:
        body = json.loads(answer)
    except ValueError:
        body = None
    if not isinstance(body, dict) or "id" not in body:
        return path
    name = next((str(body[field]) for field in ("filename", "name", "url") if body.get(field)), "")
    return f"{name} ({body['id']})" if name else str(body["id"])
