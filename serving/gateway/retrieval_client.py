"""The only module of the gateway that speaks HTTP to the retrieval sidecar."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import orjson

from serving.gateway.citations import Evidence


class RetrievalError(Exception):
    """The sidecar did not answer a search."""


class TextTooLong(Exception):
    """A text is longer than the embedder reads; the message says which."""


@dataclass(frozen=True)
class Found:
    """`outcome` is `evidence`, or why there is none. `embedding` is the query's, base64 of float32."""

    outcome: str
    evidence: tuple[Evidence, ...]
    embedding: str | None


@dataclass(frozen=True)
class Embedded:
    """`vectors` are base64 of float32, little-endian, one for each text; `tokens` is the size of all texts."""

    vectors: tuple[str, ...]
    tokens: int


class Retrieval:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def search(
        self, *, tenant: str, knowledge_bases: Sequence[str], query: str, top_k: int, request_id: str
    ) -> Found:
        """Raises RetrievalError."""
        body = {"tenant": tenant, "knowledge_bases": list(knowledge_bases), "query": query, "top_k": top_k}
        return _found(await self._posted("/v1/search", body, request_id))

    async def embed(self, texts: Sequence[str], *, request_id: str) -> Embedded:
        """Raises RetrievalError and TextTooLong."""
        data = orjson.loads(await self._posted("/v1/embed", {"texts": list(texts)}, request_id))
        return Embedded(tuple(data["embeddings"]), data["tokens"])

    async def _posted(self, path: str, body: dict[str, object], request_id: str) -> bytes:
        headers = {"x-request-id": request_id}
        try:
            async with self._session.post(path, data=orjson.dumps(body), headers=headers) as response:
                text = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RetrievalError(type(error).__name__) from error
        if status == 400 and b'"text_too_long"' in text:
            raise TextTooLong(str(orjson.loads(text)["error"]["message"]))
        if status != 200:
            raise RetrievalError(f"status {status}")
        return text


def _found(text: bytes) -> Found:
    data = orjson.loads(text)
    fields = ("chunk_id", "document_id", "document", "knowledge_base", "text", "heading")
    evidence = tuple(Evidence(**{name: item[name] for name in fields}) for item in data["evidence"])
    return Found(outcome=data["outcome"], evidence=evidence, embedding=data.get("embedding"))


@asynccontextmanager
async def connect(url: str, token: str, timeout_s: float) -> AsyncIterator[Retrieval]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=2)
    async with aiohttp.ClientSession(url, headers=headers, timeout=timeout) as session:
        yield Retrieval(session)
