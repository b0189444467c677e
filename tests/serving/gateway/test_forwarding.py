"""Faults that a real engine cannot be made to show, on real sockets. The real engine: tests/system."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from contract.api_key import key_digest
from contract.base_model import BaseModel, BaseModelStatus, Endpoint
from contract.objects import collect
from contract.snapshot import Snapshot
from contract.tenant import Limits
from serving.gateway import discovery, sse
from serving.gateway.settings import Settings
from tests.operators import objects
from tests.serving.gateway.running import Running, gateway

KEY = "qv-acme-0"
BODY: dict[str, Any] = {"model": "base", "messages": [{"role": "user", "content": "hello"}]}


def _response(status: str, body: bytes, kind: str = "application/json", *, length: int | None = None) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length or len(body)}\r\n\r\n"
    return head.encode() + body


class BadEngine:
    """Takes requests and does what it was told instead of answering."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.requests = 0
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        writer.write(b"" if self.reply == SILENT else self.reply)
        await writer.drain()
        if self.reply in (HANGS, SILENT):
            await reader.read()
        writer.close()


@asynccontextmanager
async def _engines(*replies: bytes) -> AsyncIterator[list[BadEngine]]:
    engines = [BadEngine(reply) for reply in replies]
    servers = [await asyncio.start_server(engine.handle, "127.0.0.1", 0) for engine in engines]
    for engine, server in zip(engines, servers, strict=True):
        engine.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield engines
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()


@asynccontextmanager
async def _gateway(tmp_path: Path, *urls: str, **more: Any) -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    endpoints = tuple(Endpoint(name=url[-5:], url=url, ready=True) for url in urls)
    base = base.model_copy(update={"status": BaseModelStatus(endpoints=endpoints)})
    found = collect((base, objects.tenant(), objects.api_key(sha256=key_digest(KEY))))
    snapshot = tmp_path / "snapshot.json"
    await asyncio.to_thread(snapshot.write_text, Snapshot(generation=1, objects=found).model_dump_json(by_alias=True))
    settings = Settings(
        snapshot=snapshot, internal_token=SecretStr("t" * 16), **{"engine_api_key": SecretStr("e"), **more}
    )
    headers = {"Authorization": f"Bearer {KEY}"}
    async with gateway(settings) as running, aiohttp.ClientSession(headers=headers) as session:
        yield running, session


async def _ask(running: Running, session: aiohttp.ClientSession, **more: Any) -> tuple[int, Mapping[str, str], bytes]:
    async with session.post(f"{running.url}/v1/chat/completions", json={**BODY, **more}) as response:
        return response.status, response.headers, await response.read()


LOST = b""
FAILS = _response("500 Internal Server Error", b'{"error": {"message": "EngineDead at /secret/path"}}')
HANGS = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
SILENT = b"nothing at all"
UNKNOWN = _response("404 Not Found", b'{"error": {"message": "no such model"}}')
ANSWER = _response(
    "200 OK",
    b'{"id": "x", "object": "chat.completion", "created": 1, "model": "base", "choices": [{"index": 0, "finish_reason":'
    b' "stop", "message": {"role": "assistant", "content": "hi"}}], "usage": {"prompt_tokens": 2, "completion_tokens":'
    b' 1, "total_tokens": 3}}',
)


@pytest.mark.parametrize("bad", [LOST, UNKNOWN], ids=["connection lost", "started anew"])
async def test_an_engine_that_never_began_is_followed_by_another(tmp_path: Path, bad: bytes) -> None:
    async with _engines(bad, ANSWER) as engines, _gateway(tmp_path, *(e.url for e in engines)) as (running, session):
        status, _, body = await _ask(running, session)
        assert (status, b"hi" in body) == (200, True)
        assert [engine.requests for engine in engines] == [1, 1]


async def test_a_request_that_breaks_one_engine_is_not_sent_to_the_next(tmp_path: Path) -> None:
    async with _engines(FAILS, ANSWER) as engines, _gateway(tmp_path, *(e.url for e in engines)) as (running, session):
        status, headers, body = await _ask(running, session)
        assert (status, headers["Retry-After"]) == (503, "5")
        assert b"secret" not in body
        assert [engine.requests for engine in engines] == [1, 0]


async def test_a_stream_that_breaks_off_ends_in_an_error_event_and_asks_nobody_else(tmp_path: Path) -> None:
    begun = sse.event({"id": "x", "model": "base", "choices": [{"index": 0, "delta": {"content": "30"}}]})
    cut = _response("200 OK", begun, "text/event-stream", length=len(begun) + 100)
    async with _engines(cut, ANSWER) as engines, _gateway(tmp_path, *(e.url for e in engines)) as (running, session):
        status, _, body = await _ask(running, session, stream=True)
        events = sse.events(body)
        assert status == 200
        assert sse.data(events[0])["choices"][0]["delta"]["content"] == "30"
        assert sse.data(events[-1])["error"]["code"] == "engine_failed"
        assert [engine.requests for engine in engines] == [1, 0]


async def test_an_unforeseen_answer_is_told_and_counted_as_ours(tmp_path: Path) -> None:
    async with (
        _engines(_response("200 OK", b"not json")) as engines,
        _gateway(tmp_path, engines[0].url) as (
            running,
            session,
        ),
    ):
        status, headers, body = await _ask(running, session)
        assert status == 500
        assert b"x-request-id" in body
        assert headers["x-request-id"]
        assert await running.metric(session, "requests_total", 'code="500"', 'tenant="acme"') == 1


@pytest.mark.parametrize(
    ("prompt", "n", "limit", "reserved"),
    [("a", 1, 100, 100), (["a", "b", "c"], 2, 100, 600), ("a", 8, 1_000_000, 8 * 4096)],
)
async def test_every_answer_that_is_asked_for_is_reserved_as_far_as_the_context_goes(
    tmp_path: Path, prompt: object, n: int, limit: int, reserved: int
) -> None:
    body = {"model": "base", "prompt": prompt, "n": n, "max_tokens": limit}
    async with (
        _engines(ANSWER) as engines,
        _gateway(tmp_path, engines[0].url) as (running, session),
        session.post(f"{running.url}/v1/completions", json=body) as response,
    ):
        left = int(response.headers["x-ratelimit-remaining-tokens"])
    assert Limits().tokens_per_minute - left == reserved


async def test_a_refusal_for_a_limit_carries_the_limits(tmp_path: Path) -> None:
    """The engine fails, so that nothing says what was really used: the estimate is kept as long as it runs."""
    async with _engines(HANGS) as engines, _gateway(tmp_path, engines[0].url) as (running, session):
        asked = [asyncio.create_task(_ask(running, session, max_tokens=4096, n=8)) for _ in range(7)]
        done, left = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        status, headers, _ = done.pop().result()
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    assert status == 429
    assert int(headers["x-ratelimit-limit-tokens"]) == Limits().tokens_per_minute
    assert int(headers["Retry-After"]) <= 60


async def test_tokens_under_way_are_those_that_running_requests_reserved(tmp_path: Path) -> None:
    async with _engines(HANGS) as engines, _gateway(tmp_path, engines[0].url) as (running, session):

        async def until(holds: Callable[[float], bool]) -> None:
            async with asyncio.timeout(10):
                while not holds(await running.metric(session, "tokens_in_flight", 'base_model="base"')):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

        asked = asyncio.create_task(_ask(running, session, max_tokens=100))
        await until(lambda tokens: tokens >= 100)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await until(lambda tokens: tokens == 0)


async def test_a_snapshot_is_taken_up_also_where_no_watch_can_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **more: object) -> object:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(discovery, "awatch", full)
    monkeypatch.setattr(discovery, "_LOOK_MS", 20)
    async with _gateway(tmp_path) as (running, session):
        status, _, _ = await _ask(running, session)
        assert status == 503
        await asyncio.to_thread((tmp_path / "new").write_text, Snapshot(generation=2).model_dump_json(by_alias=True))
        await asyncio.to_thread((tmp_path / "new").rename, tmp_path / "snapshot.json")
        async with asyncio.timeout(5):
            while status != 401:
                status, _, _ = await _ask(running, session)


class KeyedEngine(BadEngine):
    """Answers whoever sends the key that it was started with."""

    def __init__(self, key: str) -> None:
        super().__init__(ANSWER)
        self._key = key

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request after the other, as servers do."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
                self.requests += 1
                length = next(line for line in lines if line.startswith("content-length:"))
                await reader.readexactly(int(length.split()[1]))
                allowed = f"authorization: bearer {self._key}" in lines
                writer.write(ANSWER if allowed else _response("401 Unauthorized", b"{}"))
                await writer.drain()
        writer.close()


@pytest.mark.parametrize("key", ["new-key", "old-key"])
async def test_while_the_engines_key_is_replaced_both_are_sent_and_no_request_fails(tmp_path: Path, key: str) -> None:
    engine = KeyedEngine(key)
    server = await asyncio.start_server(engine.handle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    keys = {"engine_api_key": SecretStr("new-key"), "engine_api_key_old": SecretStr("old-key")}
    async with server, _gateway(tmp_path, url, **keys) as (running, session):
        assert [(await _ask(running, session))[0] for _ in range(3)] == [200, 200, 200]
    assert engine.requests == (3 if key == "new-key" else 4)  # the one that it took is sent first from then on


async def test_an_engine_that_takes_no_key_of_ours_is_followed_by_another(tmp_path: Path) -> None:
    engine = KeyedEngine("of-somebody-else")
    server = await asyncio.start_server(engine.handle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, _engines(ANSWER) as others, _gateway(tmp_path, url, others[0].url) as (running, session):
        assert (await _ask(running, session))[0] == 200


async def test_an_engine_that_takes_a_stream_and_says_nothing_is_followed_by_another(tmp_path: Path) -> None:
    """It accepts, and hangs before its headers."""
    async with (
        _engines(SILENT, ANSWER) as engines,
        _gateway(tmp_path, *(e.url for e in engines), first_token_timeout_s=0.3) as (running, session),
    ):
        status, _, _ = await _ask(running, session, stream=True)
        assert [engine.requests for engine in engines] == [1, 1]
        assert status != 504
