"""The values of stored rows and search results."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.bm25 import Statistics, document_vector
from retrieval.scope import CARD

Vector = NDArray[np.float32]
Row = dict[str, object]
Attributes = Mapping[str, str | float | bool]


def identifier(*parts: str) -> str:
    """A deterministic id of 32 hexadecimal digits. Parts divided differently have different ids."""
    framed = b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)
    return hashlib.sha256(framed).hexdigest()[:32]


def unread(dimension: int) -> Vector:
    """A placeholder for rows never ranked by the dense retriever: Milvus needs a vector, and cosine a nonzero one."""
    vector = np.zeros(dimension, np.float32)
    vector[0] = 1
    return vector


@dataclass(frozen=True, eq=False)
class Chunk:
    """One passage of one version of one document."""

    id: str
    knowledge_base: str
    document_id: str
    document: str  # file name relative to its source
    file_id: str
    attributes: Attributes
    version: str
    dated: int  # when this version of the document was saved, in seconds since the epoch; 0 if unknown
    ordinal: int  # place in the document, from 0
    page: int  # from 1; 0 where the format has none
    heading: str
    text: str
    terms: tuple[str, ...]  # in the order of the text, repeats included
    content: str  # digest of the embedded text
    embedder: str  # the id of the model of the vector
    dense: Vector | None  # None where the embedder cannot read the text

    def row(self, tenant: str, dimension: int) -> Row:
        return {
            "id": self.id,
            "tenant": tenant,
            "knowledge_base": self.knowledge_base,
            "document_id": self.document_id,
            "document": self.document,
            "file_id": self.file_id,
            "attributes": dict(self.attributes),
            "version": self.version,
            "dated": self.dated,
            "ordinal": self.ordinal,
            "page": self.page,
            "heading": self.heading,
            "text": self.text,
            "terms": " ".join(self.terms),
            "lexical": document_vector(self.terms),
            "content": self.content,
            "embedder": "" if self.dense is None else self.embedder,
            "dense": (unread(dimension) if self.dense is None else self.dense).tolist(),
        }


@dataclass(frozen=True)
class KnowledgeBaseRow:
    """The card of a knowledge base: the row with the statistics of its chunks."""

    knowledge_base: str
    statistics: Statistics

    def row(self, tenant: str, dimension: int) -> Row:
        empty = ("document_id", "document", "file_id", "version", "heading", "terms", "content")
        return dict.fromkeys(empty, "") | {
            "attributes": {},
            "id": identifier("card", tenant, self.knowledge_base),
            "tenant": tenant,
            "knowledge_base": self.knowledge_base,
            "dated": 0,
            "ordinal": CARD,
            "page": 0,
            "text": self.statistics.to_json(),
            "lexical": document_vector([]),
            "embedder": "",
            "dense": unread(dimension).tolist(),
        }


@dataclass(frozen=True)
class Hit:
    """A hit of one retriever. A higher score is nearer: the cosine, or BM25 above 0."""

    chunk_id: str
    document_id: str
    document: str
    file_id: str
    attributes: Attributes
    knowledge_base: str
    dated: int
    ordinal: int
    page: int
    heading: str
    text: str
    embedder: str
    """The id of the model of its vector; empty without one."""
    terms: frozenset[str]
    score: float
