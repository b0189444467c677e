"""Uploaded files: what is refused, and what is tried again. A server stands for a gateway in each state."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.uploads import Uploads

Start = Callable[[int, bytes], Awaitable[Uploads]]
MOST = 1_000


@pytest.fixture
async def gateway() -> AsyncIterator[Start]:
    """Answers every request with a status and a body."""
    servers: list[TestServer] = []

    async def start(status: int, body: bytes) -> Uploads:
        async def answer(request: web.Request) -> web.Response:
            assert request.headers["authorization"] == "Bearer token"
            return web.Response(status=status, body=body)

        application = web.Application()
        application.router.add_get("/v1/files/file-1/content", answer)
        servers.append(TestServer(application))
        await servers[-1].start_server()
        return Uploads(str(servers[-1].make_url("")).rstrip("/"), "token", MOST, stall_s=60)

    yield start
    for server in servers:
        await server.close()


async def test_a_file_is_written_as_it_is(gateway: Start, tmp_path: Path) -> None:
    uploads = await gateway(200, b"x" * MOST)
    await uploads.fetch("file-1", tmp_path / "data")
    assert (tmp_path / "data").read_bytes() == b"x" * MOST


@pytest.mark.parametrize(("status", "body", "reason"), [(404, b"", "SourceMissing"), (200, b"x" * 1_001, "TooLarge")])
async def test_a_missing_or_a_large_file_is_refused(
    gateway: Start, tmp_path: Path, status: int, body: bytes, reason: str
) -> None:
    uploads = await gateway(status, body)
    with pytest.raises(RefusedError) as refused:
        await uploads.fetch("file-1", tmp_path / "data")
    assert refused.value.reason == reason


@pytest.mark.parametrize("status", [302, 401, 429, 503])
async def test_any_other_answer_is_tried_again(gateway: Start, tmp_path: Path, status: int) -> None:
    uploads = await gateway(status, b"")
    with pytest.raises(UnavailableError, match=f"status {status}"):
        await uploads.fetch("file-1", tmp_path / "data")


async def test_a_gateway_that_is_away_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="does not give upload file-1"):
        await Uploads("http://127.0.0.1:1", "token", MOST, stall_s=60).fetch("file-1", tmp_path / "data")


@pytest.mark.parametrize("file_id", ["", "file-", "file-1/../2", "file-1?x", "vs_1"])
async def test_what_is_no_id_is_not_asked_for(tmp_path: Path, file_id: str) -> None:
    with pytest.raises(RefusedError, match="names no file"):
        await Uploads("http://127.0.0.1:1", "token", MOST, stall_s=60).fetch(file_id, tmp_path / "data")
