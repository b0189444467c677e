"""A server with `/v1/embeddings` over a real model, and the faults that a test asks for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from retrieval.embedding.embedder import Embedder

Rows = list[dict[str, Any]]


def _unchanged(data: Rows) -> Rows:
    return data


@dataclass
class EmbeddingServer:
    embedder: Embedder
    key: str = "secret-of-the-server"
    status: int = 200
    change: Callable[[Rows], Rows] = _unchanged
    """Of the list of vectors in an answer."""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/embeddings", self._embed, methods=["POST"])])

    async def _embed(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return JSONResponse({"error": "unauthorized"}, 401)
        body = await request.json()
        self.asked.append(body)
        if self.status != 200:
            return JSONResponse({"error": "it is busy"}, self.status)
        rows = self.embedder.embed(body["input"])
        data = [{"index": index, "embedding": row.tolist()} for index, row in enumerate(rows)]
        return JSONResponse({"data": self.change(data[::-1])})  # OpenAI promises no order
