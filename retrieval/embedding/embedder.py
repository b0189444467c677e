"""The interface of an embedder, and the choice by a setting."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from retrieval.embedding.remote import Remote, Server
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.embedding.trial import Trial
from retrieval.embedding.vectors import Vectors


class Embedder(Protocol):
    """Texts to unit vectors. Thread-safe; every method blocks, so call it off the event loop."""

    @property
    def id(self) -> str:
        """Identifies everything with an effect on vectors: only vectors of one id can be compared."""

    @property
    def dimensions(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """Of a text; the rest is ignored, or the text refused."""

    @property
    def passage_tokens(self) -> int:
        """The most tokens of a passage read whole."""

    @property
    def trial(self) -> Trial:
        """Its cosines of related texts. Raises `EmbedderError`."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of passages: float32[len(texts), dimensions], rows of length 1. Raises `EmbedderError`."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The vectors of questions: float32[len(texts), dimensions], rows of length 1. Raises `EmbedderError`."""

    def legibility(self, text: str) -> float:
        """The legible share of the text, 0 to 1."""

    def is_read_whole(self, text: str) -> bool: ...

    def tokens(self, text: str) -> int:
        """The size of a text; nothing is free."""

    def close(self) -> None: ...


def opened(where: str, *, threads: int, server: Server) -> Embedder:
    """A server's embedder if `where` is an address, else the one in this folder. Raises `EmbedderError`."""
    if where.lower().startswith(("http://", "https://")):
        return Remote(where, server)
    return SentenceEncoder(Path(where), threads=threads)
