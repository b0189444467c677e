"""Downloads one file to the disk."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import aiohttp

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.sources.http import Client
from serving.agent.sources.request import Request

# Bytes. Using a thread for each small piece from the network would cost more than writing it.
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Remote:
    """One file at its source; `digest` (sha256:…) if the source identifies contents by digest."""

    request: Request
    digest: str | None = None


async def download(client: Client, remote: Remote, file: Path, room: int) -> int:
    """Writes the remote's bytes to `file`, which must not exist. Returns the number of bytes, at most `room`."""
    digest = hashlib.sha256()
    async with client.open(remote.request) as response:
        await client.check(remote.request, response)
        _check_framing(client.name, response)
        _check_room(client.name, file, response.content_length or 0, room)
        size = await _receive(client.name, response, file, digest, room)
    if remote.digest not in (None, f"sha256:{digest.hexdigest()}"):
        raise RefusedError(
            "DigestMismatch",
            f"{client.name}: the content of {file.stem} does not have the digest {remote.digest}; "
            "push the artifact again",
        )
    return size


async def _receive(name: str, response: aiohttp.ClientResponse, file: Path, digest: "hashlib._Hash", room: int) -> int:
    """Writes in threads, so no write blocks the event loop; the file is closed after the last one."""
    size, pending = 0, bytearray()
    writer = await asyncio.to_thread(file.open, "xb")
    try:
        async for piece in response.content.iter_any():
            size += len(piece)
            _check_room(name, file, size, room)
            pending += piece
            if len(pending) >= _BLOCK:
                block, pending = pending, bytearray()
                await asyncio.to_thread(_write, writer, digest, block)
        await asyncio.to_thread(_write, writer, digest, pending)
    finally:
        await asyncio.to_thread(writer.close)
    return size


def _write(writer: BinaryIO, digest: "hashlib._Hash", block: bytearray) -> None:
    digest.update(block)
    writer.write(block)


def _check_room(name: str, file: Path, size: int, room: int) -> None:
    if size > room:
        raise RefusedError("TooLarge", f"{name}: {file.stem} takes the artifact over its limit; make it smaller")


def _check_framing(name: str, response: aiohttp.ClientResponse) -> None:
    """Requires an answer with the whole file, uncompressed, whose end can be detected."""
    if response.status != 200:
        raise UnavailableError(
            "AnswerInvalid", f"{name}: the server answered a plain request with {response.status}; it is tried again"
        )
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RefusedError("EncodingUnsupported", f"{name}: the server compresses the file; serve it as it is")
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    if not chunked and "Content-Length" not in response.headers:
        raise RefusedError("LengthUnknown", f"{name}: the server gives no Content-Length; serve it with one")
