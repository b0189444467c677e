"""Fetches a file that a tenant has uploaded through the gateway."""

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from contract.fine_tune import UPLOAD_ID
from serving.agent.errors import AgentError, RefusedError, UnavailableError

_NOT_FOUND = 404
_PIECE = 256 * 1024


@dataclass(frozen=True)
class Uploads:
    """The gateway's address, a token of the tenant, and the limits of a file."""

    url: str
    token: str = field(repr=False)
    most_bytes: int
    stall_s: float

    async def fetch(self, file_id: str, target: Path) -> None:
        """Raises RefusedError for an unknown or too large file, UnavailableError, and OSError."""
        if not re.fullmatch(UPLOAD_ID, file_id):
            raise RefusedError(
                "SourceInvalid", f"upload://{file_id} names no file; take the id that POST /v1/files gave"
            )
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self.stall_s, sock_read=self.stall_s)
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(f"{self.url}/v1/files/{file_id}/content", allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise _refusal(file_id, answer.status)
                await self._write(file_id, answer, target)
        except (aiohttp.ClientError, TimeoutError) as error:
            message = f"the gateway does not give upload {file_id} ({type(error).__name__}); it is tried again"
            raise UnavailableError("SourceUnavailable", message) from error

    async def _write(self, file_id: str, answer: aiohttp.ClientResponse, target: Path) -> None:
        size = 0
        with await asyncio.to_thread(target.open, "wb") as file:
            async for piece in answer.content.iter_chunked(_PIECE):
                size += len(piece)
                if size > self.most_bytes:
                    message = f"upload {file_id} is larger than {self.most_bytes:,} bytes; take fewer examples"
                    raise RefusedError("TooLarge", message)
                await asyncio.to_thread(file.write, piece)


def _refusal(file_id: str, status: int) -> AgentError:
    if status == _NOT_FOUND:
        return RefusedError("SourceMissing", f"the tenant has no uploaded file {file_id}; upload it, or correct the id")
    message = f"the gateway does not give upload {file_id} (status {status}); it is tried again"
    return UnavailableError("SourceUnavailable", message)
