"""`POST /v1/embed`: the vectors of texts, for callers of `/v1/embeddings`."""

import asyncio
import base64

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retrieval.embedding.model import MAX_TOKENS, Embedder
from retrieval.errors import TextTooLongError
from retrieval.routes.bodies import answer, read
from retrieval.schemas import EmbedRequest, EmbedResponse


def routes(embedder: Embedder) -> list[Route]:
    def embedded(texts: list[str]) -> EmbedResponse:
        cut = next((index for index, text in enumerate(texts) if not embedder.is_read_whole(text)), None)
        if cut is not None:
            raise TextTooLongError(
                f"texts.{cut} is longer than the {MAX_TOKENS - 2} tokens that the embedder reads: split it."
            )
        vectors = embedder.embed(texts)
        rows = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]
        return EmbedResponse(embeddings=rows, tokens=sum(map(embedder.tokens, texts)))

    async def post(request: Request) -> Response:
        body = await read(request, EmbedRequest)
        return answer(await asyncio.to_thread(embedded, body.texts))

    return [Route("/v1/embed", post, methods=["POST"])]
