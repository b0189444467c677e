"""`POST /v1/embed`: the vectors of texts, for callers of `/v1/embeddings`."""

import asyncio
import base64

from fastapi import APIRouter

from contract.search import EmbedRequest, EmbedResponse
from retrieval.embedding.embedder import Embedder
from retrieval.errors import TextTooLongError
from service.application import router


def routes(embedder: Embedder) -> APIRouter:
    embedding = router()

    @embedding.post("/v1/embed")
    async def embed(request: EmbedRequest) -> EmbedResponse:
        """A vector for each text."""
        return await asyncio.to_thread(_embedded, embedder, request.texts)

    return embedding


def _embedded(embedder: Embedder, texts: list[str]) -> EmbedResponse:
    """Raises TextTooLongError."""
    cut = next((index for index, text in enumerate(texts) if not embedder.is_read_whole(text)), None)
    if cut is not None:
        raise TextTooLongError(
            f"texts.{cut} is longer than the {embedder.max_tokens - 2} tokens that the embedder reads: split it."
        )
    rows = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in embedder.embed(texts)]
    return EmbedResponse(embeddings=rows, tokens=sum(map(embedder.tokens, texts)))
