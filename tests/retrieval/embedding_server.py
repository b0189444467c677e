"""A server with `/v1/embeddings` over a real model, and the faults that a test asks for."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from retrieval.embedding.embedder import Embedder
from tests.retrieval.conftest import wait_until

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
    pause_s: float = 0.0
    """Between the spaces, 400 of them, behind an answer; 0 leaves them out."""
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
        answer = JSONResponse({"data": self.change(data[::-1])})  # OpenAI promises no order
        return StreamingResponse(self._trickling(bytes(answer.body))) if self.pause_s else answer

    async def _trickling(self, body: bytes) -> AsyncIterator[bytes]:
        yield body
        for _ in range(400):
            await asyncio.sleep(self.pause_s)
            yield b" "


@contextlib.contextmanager
def running(served: EmbeddingServer) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(served.app(), log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
