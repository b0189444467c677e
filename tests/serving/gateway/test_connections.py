"""Callers that take without end, on real sockets, and a quiet one beside them."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from contract.api_key import key_digest
from contract.objects import collect
from contract.snapshot import Snapshot
from serving.gateway.connections import MAX_HEADER_BYTES, MAX_WAITING, RESERVED_DESCRIPTORS, room
from serving.gateway.settings import Settings
from tests.operators import objects
from tests.serving.gateway.running import Running, gateway

KEY = "qv-acme-0"
HEAD = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n".encode()


@asynccontextmanager
async def _gateway(tmp_path: Path, limits: dict[str, int] | None = None, **more: Any) -> AsyncIterator[Running]:
    tenant = objects.tenant(limits=limits or {})
    found = collect((objects.base_model(), tenant, objects.api_key(sha256=key_digest(KEY))))
    snapshot = tmp_path / "snapshot.json"
    await asyncio.to_thread(snapshot.write_text, Snapshot(generation=1, objects=found).model_dump_json(by_alias=True))
    settings = Settings(snapshot=snapshot, internal_token=SecretStr("t" * 16), engine_api_key=SecretStr("e"), **more)
    async with gateway(settings) as running:
        yield running


@asynccontextmanager
async def _connection(running: Running) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(running.url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(20):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def _ready(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as response:
        return response.status


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD])
async def test_headers_that_do_not_come_end_the_connection(tmp_path: Path, sent: bytes) -> None:
    async with _gateway(tmp_path, header_timeout_s=0.2) as running, _connection(running) as (reader, writer):
        writer.write(sent)
        assert (await _all(reader)).startswith(b"HTTP/1.1 408 ")


async def test_headers_that_come_in_time_on_a_connection_that_was_idle_are_answered(tmp_path: Path) -> None:
    async with _gateway(tmp_path, header_timeout_s=0.5) as running, _connection(running) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(1)


async def test_a_stopping_gateway_answers_what_comes_on_an_idle_connection_and_then_closes_it(tmp_path: Path) -> None:
    async with _gateway(tmp_path, idle_drain_s=60) as running, _connection(running) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"connection: close" not in await reader.readuntil(b"}")
        running.server.should_exit = True
        await _no_new_connection(running.url)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = await _all(reader)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer


async def test_an_idle_connection_of_a_stopping_gateway_is_closed_in_the_end(tmp_path: Path) -> None:
    async with _gateway(tmp_path, idle_drain_s=0.2) as running, _connection(running) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"}")
        running.server.should_exit = True
        assert await _all(reader) == b""


async def _no_new_connection(url: str) -> None:
    """Waits until no new connection is accepted."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            except ConnectionError:
                return
            writer.close()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("sent", [b"x: " + b"a" * 2 * MAX_HEADER_BYTES, b"x: a\r\n" * MAX_HEADER_BYTES])
async def test_headers_without_end_are_not_kept(tmp_path: Path, sent: bytes) -> None:
    async with _gateway(tmp_path) as running, _connection(running) as (reader, writer):
        writer.write(HEAD)
        for start in range(0, len(sent), 4096):
            writer.write(sent[start : start + 4096])
            await asyncio.sleep(0)
        assert (await _all(reader))[:13] in (b"HTTP/1.1 431 ", b"HTTP/1.1 400 ", b"")


async def test_a_body_that_does_not_come_is_given_up_and_holds_its_own_tenants_place_alone(tmp_path: Path) -> None:
    limits = {"concurrentRequests": 1}
    async with _gateway(tmp_path, limits, body_timeout_s=0.5) as running, _connection(running) as (reader, writer):
        writer.write(HEAD + b"content-length: 100\r\n\r\n{")
        await asyncio.sleep(0.1)
        async with _connection(running) as (second, other):
            other.write(HEAD + b"content-length: 100\r\n\r\n{")
            assert (await second.readline()).startswith(b"HTTP/1.1 429 ")
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")


async def test_over_its_share_an_address_gets_no_more_and_the_internal_port_answers(tmp_path: Path) -> None:
    async with _gateway(tmp_path, max_connections_per_address=3) as running, AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(_connection(running))
        async with _connection(running) as (reader, _):
            assert (await _all(reader)).startswith(b"HTTP/1.1 503 ")
        assert await _ready(running.internal_url) == 200
        await stack.aclose()
        await _until_answered(running)


async def _until_answered(running: Running) -> None:
    async with asyncio.timeout(10):
        while True:
            async with _connection(running) as (reader, writer):
                writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                if (await _all(reader)).startswith(b"HTTP/1.1 200 "):
                    return


async def test_callers_that_are_gone_before_they_are_accepted_leave_no_count(tmp_path: Path) -> None:
    async with _gateway(tmp_path, max_connections=3) as running:
        for _ in range(8):
            with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))) as bound:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await _until_answered(running)


async def test_headers_after_a_request_that_is_being_answered_end_nothing(tmp_path: Path) -> None:
    """The body of the first request is late, and the next one has begun."""
    async with _gateway(tmp_path, header_timeout_s=0.2) as running, _connection(running) as (reader, writer):
        writer.write(HEAD + b"content-length: 2\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.write(b"{}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")


async def test_a_reader_that_does_not_read_is_let_go(tmp_path: Path) -> None:
    """More answers than its buffers hold, asked for on one connection."""
    async with _gateway(tmp_path, write_timeout_s=0.3) as running:
        with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))) as bound:
            bound.setblocking(False)
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(_ask_for_ever(bound), 30)


async def test_requests_that_wait_for_each_other_are_few(tmp_path: Path) -> None:
    request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    async with _gateway(tmp_path) as running:
        async with _connection(running) as (reader, writer):
            writer.write(request * 4)
            for _ in range(4):
                assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
        async with _connection(running) as (reader, writer):
            writer.write(request * 1000)
            answers = await _all(reader)
            assert answers.count(b"HTTP/1.1 200 ") <= MAX_WAITING + 1
            assert b"HTTP/1.1 400 " in answers


async def test_a_refused_body_is_not_read_to_its_end(tmp_path: Path) -> None:
    body = b"x" * 64 * 1024 * 1024
    async with _gateway(tmp_path) as running, _connection(running) as (reader, writer):
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body))
        assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(_send(writer, body), 20)


async def _send(writer: asyncio.StreamWriter, body: bytes) -> None:
    for start in range(0, len(body), 65536):
        writer.write(body[start : start + 65536])
        await writer.drain()


async def _ask_for_ever(bound: socket.socket) -> None:
    """One after the other, so that no more than a few wait."""
    request = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
    while True:
        await asyncio.get_running_loop().sock_sendall(bound, request)
        await asyncio.sleep(0.001)


BODIES = {
    "unknown fields": json.dumps({f"a{number}": 0 for number in range(80_000)}),
    "bad parts": json.dumps({"model": "base", "messages": [{"role": "user", "content": [{"type": "x"}] * 64}] * 256}),
    "numbers": f'{{"model": "base", "messages": [{"0," * 400_000}0]}}',
    "nothing": "[" * 1_000_000,
    "parts": json.dumps({"model": "base", "messages": [
        {"role": "user", "content": [{"type": "text", "text": ""}] * 250}] * 80}),
}  # fmt: skip


async def _longest_turn() -> float:
    """Seconds of processor time that the loop's thread spent without a turn for anybody else, until cancelled."""
    longest, last = 0.0, time.thread_time()
    try:
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now
    except asyncio.CancelledError:
        return longest


@pytest.mark.parametrize("name", BODIES)
async def test_no_body_holds_up_the_loop(tmp_path: Path, name: str) -> None:
    """It was a quarter of a second for bad parts, half a second for unknown fields; now it is about a millisecond."""
    async with _gateway(tmp_path) as running, aiohttp.ClientSession() as session:
        assert await _ready(running.internal_url) == 200
        await _refused(session, running.url, b"{}")  # what is done for the first request alone
        watch = asyncio.create_task(_longest_turn())
        await _refused(session, running.url, BODIES[name].encode())
        await asyncio.sleep(0)
        watch.cancel()
        assert await watch < 0.01


async def _refused(session: aiohttp.ClientSession, url: str, body: bytes) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    async with session.post(f"{url}/v1/chat/completions", data=body, headers=headers) as response:
        assert response.status == 400


def test_connections_are_as_many_as_descriptors_have_room_for() -> None:
    assert room(1024) == (1024 - RESERVED_DESCRIPTORS) // 2
    assert room(64) == 1
