"""Rows returned by a search of Milvus, as hits. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from retrieval.errors import IsolationError
from retrieval.scope import Scope
from retrieval.store.rows import Hit

HIT_FIELDS = ["tenant", "knowledge_base", "document_id", "document", "file_id", "attributes", "dated", "ordinal",
              "page", "heading", "text", "embedder", "terms"]  # fmt: skip


def best(hits: Sequence[Hit], limit: int) -> list[Hit]:
    return sorted(hits, key=lambda hit: -hit.score)[:limit]


def hit_of(scope: Scope, match: Mapping[str, Any]) -> Hit:
    row = match["entity"]
    if not scope.admits(row["tenant"], row["knowledge_base"]):
        raise IsolationError(
            f"Milvus returned a row from outside the scope of tenant {scope.tenant}: the search is refused; "
            "check the version of Milvus and what else writes to it."
        )
    return Hit(
        chunk_id=match["id"],
        document_id=row["document_id"],
        document=row["document"],
        file_id=row["file_id"],
        attributes=row["attributes"],
        knowledge_base=row["knowledge_base"],
        dated=row["dated"],
        ordinal=row["ordinal"],
        page=row["page"],
        heading=row["heading"],
        text=row["text"],
        embedder=row["embedder"],
        terms=frozenset(row["terms"].split()),
        score=float(match["distance"]),
    )
