"""One file from a remote into a part, going on where an earlier attempt stopped."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import BinaryIO

import aiohttp

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.sources.http import Client
from serving.agent.sources.part import NOTHING, Part, Received
from serving.agent.sources.request import Request
from serving.agent.sources.resumption import Body, Restart, Unchanged, meaning, question

# Bytes. A thread for each of the network's small pieces would cost more than the writing.
_BLOCK = 1024 * 1024
_CONDITIONAL = (200, 206, 304, 416)


@dataclass(frozen=True)
class Remote:
    """One file at its source; `digest` (sha256:…) where the source names contents by theirs."""

    request: Request
    digest: str | None = None


async def download(client: Client, remote: Remote, part: Part, room: int) -> int:
    """Returns the file's size in bytes, at most `room`. After a failure the part holds the received bytes."""
    received = await asyncio.to_thread(part.received)
    if remote.digest and received.tag != remote.digest:
        received = NOTHING
    if not (remote.digest and received.complete) and not await _transfer(client, remote, part, received, room):
        received = NOTHING
        if not await _transfer(client, remote, part, received, room):
            raise UnavailableError(
                "AnswerInvalid", f"{client.name}: the server answers a plain request in part; it is tried again"
            )
    if remote.digest:
        await _check_digest(client.name, remote.digest, part, resumed=received.have > 0)
    size = (await asyncio.to_thread(part.path.stat)).st_size
    _check_room(client.name, part, size, room)
    return size


async def _transfer(client: Client, remote: Remote, part: Part, received: Received, room: int) -> bool:
    """False if the held bytes are useless, and the whole file is needed."""
    request = remote.request.with_headers(question(received, remote.digest))
    async with client.open(request) as response:
        if response.status not in _CONDITIONAL:
            await client.check(request, response)
        match meaning(received, remote.digest, response.status, response.headers):
            case Restart():
                return False
            case Unchanged():
                _check_room(client.name, part, received.have, room)
            case Body() as body:
                _check_framing(client.name, response)
                _check_room(client.name, part, body.total or 0, room)
                await _receive(client.name, response, part, body, room)
        return True


async def _receive(name: str, response: aiohttp.ClientResponse, part: Part, body: Body, room: int) -> None:
    file = await asyncio.to_thread(part.resume if body.start else lambda: part.start(body.tag, body.total))
    size = await _copy(name, response, file, part, body, room)
    if body.total is None and body.tag:
        await asyncio.to_thread(part.settle, body.tag)
    elif body.total is not None and size < body.total:
        raise UnavailableError(
            "Truncated", f"{name}: {part.name} ended after {size} of {body.total} bytes; it is tried again"
        )


async def _copy(name: str, response: aiohttp.ClientResponse, file: BinaryIO, part: Part, body: Body, room: int) -> int:
    """Returns the file's size. Received bytes are always written, and the file closed."""
    size, pending = body.start, bytearray()
    try:
        async for block in response.content.iter_any():
            size += len(block)
            _check_room(name, part, size, room)
            if body.total is not None and size > body.total:
                raise UnavailableError(
                    "AnswerInvalid", f"{name}: {part.name} goes on after its {body.total} bytes; it is tried again"
                )
            pending += block
            if len(pending) >= _BLOCK:
                # Given away first: a cancelled fetch must not write it twice.
                full, pending = pending, bytearray()
                await asyncio.to_thread(file.write, full)
    finally:
        await asyncio.to_thread(_finish, file, pending)
    return size


def _finish(file: BinaryIO, pending: bytearray) -> None:
    """Waits for a write left behind by a cancelled fetch."""
    with file:
        file.write(pending)


def _check_room(name: str, part: Part, size: int, room: int) -> None:
    if size > room:
        raise RefusedError("TooLarge", f"{name}: {part.name} takes the artifact over its limit; make it smaller")


def _check_framing(name: str, response: aiohttp.ClientResponse) -> None:
    """Requires unencoded bytes, and a detectable end."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RefusedError("EncodingUnsupported", f"{name}: the server compresses the file; serve it as it is")
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    if not chunked and "Content-Length" not in response.headers:
        raise RefusedError("LengthUnknown", f"{name}: the server gives no Content-Length; serve it with one")


async def _check_digest(name: str, digest: str, part: Part, *, resumed: bool) -> None:
    if await asyncio.to_thread(_digest, part) == digest:
        return
    await asyncio.to_thread(part.discard)
    message = f"{name}: the content of {part.name} is not what its digest {digest} says"
    if resumed:
        raise UnavailableError("DigestMismatch", f"{message}; it is fetched anew")
    raise RefusedError("DigestMismatch", f"{message}; push the artifact again")


def _digest(part: Part) -> str:
    with part.path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
