"""What is passed on to the gateway, on a server that keeps the bytes it gets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from starlette.requests import Request

from operators.management.gateway import Gateway
from operators.management.identity import Identity
from service.delegation import Delegations
from service.errors import UnavailableError

EDITOR = Identity("key e", "acme", frozenset({"inference", "documents"}))


class Server:
    """Answers each request with what is in `answers`, piece by piece; keeps the heads and bodies."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.pieces: list[bytes] = [b"{}"]
        self.missing = 0  # bytes that are announced, and do not come

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            self.heads.append(head)
            length = sum(map(len, self.pieces)) + self.missing
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length)
            for piece in self.pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)  # so that they come one by one
            if self.missing:
                break
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


@asynccontextmanager
async def passing() -> AsyncIterator[tuple[Gateway, Server]]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        yield Gateway(session, f"http://127.0.0.1:{port}", Delegations("s" * 48)), server
    listening.close()


def _request(method: str, path: str, body: bytes = b"", **headers: str) -> Request:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop(0)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": named,
             "server": ("m", 80), "scheme": "http"}  # fmt: skip
    return Request(scope, receive)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_request_without_a_body_has_no_length(method: str) -> None:
    """Else the gateway would take the next request, another tenant's, for the body."""
    async with passing() as (gateway, server):
        hidden = _request(method, "/v1/files/f", b"x" * 400, content_length="400", transfer_encoding="chunked")
        await gateway.pass_on(hidden, EDITOR)
        await gateway.pass_on(_request("GET", "/v1/models"), EDITOR)
    assert [head.split(b" ")[0] for head in server.heads] == [method.encode(), b"GET"]
    assert b"content-length: 400" not in server.heads[0].lower()
    assert b"transfer-encoding" not in server.heads[0].lower()


async def test_the_answer_to_a_change_is_whole() -> None:
    async with passing() as (gateway, server):
        server.pieces = [b'{"id": "vs_1", ', b'"name": "x"}']
        answer = await gateway.pass_on(_request("DELETE", "/v1/vector_stores/vs_1"), EDITOR)
    assert answer.body == b'{"id": "vs_1", "name": "x"}'


async def test_an_answer_that_breaks_off_is_said() -> None:
    async with passing() as (gateway, server):
        server.pieces, server.missing = [b"{"], 10
        with pytest.raises(UnavailableError, match="may have been made"):
            await gateway.pass_on(_request("DELETE", "/v1/vector_stores/vs_1"), EDITOR)


async def test_callers_name_no_identity_of_their_own() -> None:
    async with passing() as (gateway, server):
        await gateway.pass_on(_request("GET", "/v1/models", authorization="Bearer qv-globex-1", cookie="a=b"), EDITOR)
    assert b"qv-globex" not in server.heads[0]
    assert b"cookie" not in server.heads[0].lower()


async def test_a_gateway_that_is_away_is_said() -> None:
    async with aiohttp.ClientSession() as session:
        gateway = Gateway(session, "http://127.0.0.1:9", Delegations("s" * 48))
        with pytest.raises(UnavailableError, match="try again"):
            await gateway.pass_on(_request("GET", "/v1/models"), EDITOR)
