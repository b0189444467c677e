"""The gateway's only HTTP client of the retrieval sidecar."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import orjson
from pydantic import BaseModel, ValidationError

from contract.search import EmbedRequest, EmbedResponse, SearchRequest, SearchResponse
from serving.gateway import trace_context


class RetrievalError(Exception):
    """The sidecar did not answer a search or an embedding request."""


class UnknownKnowledgeBase(Exception):
    """The tenant has no such knowledge base."""


class TextTooLong(Exception):
    """A text is too long for the embedder; the message names it."""


class Retrieval:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def search(self, request: SearchRequest, *, request_id: str) -> SearchResponse:
        """Raises RetrievalError and UnknownKnowledgeBase."""
        answer = await self._posted("/v1/search", request, request_id)
        try:
            return SearchResponse.model_validate_json(answer)
        except ValidationError as error:
            raise RetrievalError("the sidecar's answer is not a search result") from error

    async def embed(self, texts: Sequence[str], *, request_id: str) -> EmbedResponse:
        """Raises RetrievalError and TextTooLong."""
        answer = await self._posted("/v1/embed", EmbedRequest(texts=list(texts)), request_id)
        try:
            return EmbedResponse.model_validate_json(answer)
        except ValidationError as error:
            raise RetrievalError("the sidecar's answer has no embeddings") from error

    async def _posted(self, path: str, body: BaseModel, request_id: str) -> bytes:
        headers = {"x-request-id": request_id, **trace_context.passed_on.get()}
        try:
            async with self._session.post(
                path, data=body.model_dump_json(exclude_defaults=True), headers=headers
            ) as response:
                text = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RetrievalError(type(error).__name__) from error
        if status == 422 and b'"text_too_long"' in text:
            raise TextTooLong(str(orjson.loads(text)["error"]["message"]))
        if status == 404 and b'"unknown_knowledge_base"' in text:
            raise UnknownKnowledgeBase(str(orjson.loads(text)["error"]["message"]))
        if status != 200:
            raise RetrievalError(f"status {status}")
        return text


@asynccontextmanager
async def connect(url: str, token: str, timeout_s: float) -> AsyncIterator[Retrieval]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=2)
    async with aiohttp.ClientSession(url, headers=headers, timeout=timeout) as session:
        yield Retrieval(session)
