"""What HTTP asks of the gateway, on real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from pydantic import SecretStr

from contract.api_key import key_digest
from contract.base_model import BaseModel, BaseModelStatus, Endpoint
from contract.objects import collect
from contract.snapshot import Snapshot
from service.delegation import Delegation, Delegations
from serving.gateway.settings import Settings
from tests.operators import objects
from tests.serving.gateway.running import Running, gateway

KEY = "qv-acme-0"


@asynccontextmanager
async def _gateway(tmp_path: Path, *, engine: str | None = None, **more: Any) -> AsyncIterator[Running]:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    endpoints = (Endpoint(name="e", url=engine, ready=True),) if engine else ()
    base = base.model_copy(update={"status": BaseModelStatus(endpoints=endpoints)})
    found = collect((base, objects.tenant(), objects.api_key(sha256=key_digest(KEY))))
    snapshot = tmp_path / "snapshot.json"
    await asyncio.to_thread(snapshot.write_text, Snapshot(generation=1, objects=found).model_dump_json(by_alias=True))
    settings = Settings(snapshot=snapshot, internal_token=SecretStr("t" * 16), engine_api_key=SecretStr("e"), **more)
    async with gateway(settings) as running:
        yield running


async def _ask(
    running: Running, method: str, path: str, *, key: str | None = KEY, **more: Any
) -> tuple[int, dict[str, str], bytes]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    headers |= more.pop("headers", {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, running.url + path, headers=headers, **more) as response,
    ):
        return response.status, {name.lower(): value for name, value in response.headers.items()}, await response.read()


async def _raw(running: Running, request: bytes) -> bytes:
    port = int(running.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(10):
        found = await reader.read()
    writer.close()
    return found


async def test_a_method_that_a_path_does_not_answer_is_told_those_that_it_does(tmp_path: Path) -> None:
    async with _gateway(tmp_path) as running:
        status, headers, _ = await _ask(running, "GET", "/v1/chat/completions")
        assert (status, headers["allow"]) == (405, "POST, OPTIONS")
        status, headers, _ = await _ask(running, "DELETE", "/v1/models")
        assert (status, headers["allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_head_is_get_without_its_body(tmp_path: Path) -> None:
    async with _gateway(tmp_path) as running:
        status, headers, body = await _ask(running, "HEAD", "/v1/models")
        assert (status, body) == (200, b"")
        assert int(headers["content-length"]) > 0


async def test_other_apis_point_to_the_one_that_there_is(tmp_path: Path) -> None:
    async with _gateway(tmp_path) as running:
        for path in ("/v1/responses", "/v1/messages"):
            status, _, body = await _ask(running, "POST", path, json={})
            assert (status, b"/v1/chat/completions" in body) == (404, True)


async def test_who_has_no_key_is_told_how_to_send_one(tmp_path: Path) -> None:
    async with _gateway(tmp_path) as running:
        status, headers, _ = await _ask(running, "GET", "/v1/models", key=None)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")


async def test_two_keys_are_none(tmp_path: Path) -> None:
    head = f"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {KEY}\r\n"
    async with _gateway(tmp_path) as running:
        assert b" 200 " in (await _raw(running, f"{head}\r\n".encode())).partition(b"\r\n")[0]
        assert (
            b" 401 " in (await _raw(running, f"{head}authorization: Bearer x\r\n\r\n".encode())).partition(b"\r\n")[0]
        )


async def test_a_token_of_the_management_api_is_as_good_as_a_key(tmp_path: Path) -> None:
    secret = "s" * 48
    signed = Delegations(secret).sign(Delegation("acme", frozenset({"inference"}), "key boss"))
    of_nobody = Delegations(secret).sign(Delegation("nobody", frozenset({"inference"}), "key boss"))
    forged = Delegations("f" * 48).sign(Delegation("acme", frozenset({"inference"}), "key boss"))
    limited = Delegations(secret).sign(Delegation("acme", frozenset({"inference"}), "x", models=frozenset({"other"})))
    async with _gateway(tmp_path, management_secret=SecretStr(secret)) as running:
        for token, status in ((signed, 200), (of_nobody, 401), (forged, 401), (KEY, 200)):
            assert (await _ask(running, "GET", "/v1/models", key=token))[0] == status
        assert (await _ask(running, "GET", "/v1/models/base", key=limited))[0] == 404
        assert (await _ask(running, "GET", "/v1/files", key=signed))[0] == 403
    async with _gateway(tmp_path) as running:
        assert (await _ask(running, "GET", "/v1/models", key=signed))[0] == 401


async def test_one_model_is_shown_with_whether_it_is_ready_and_others_do_not_exist(tmp_path: Path) -> None:
    async with _gateway(tmp_path) as running:
        status, _, body = await _ask(running, "GET", "/v1/models/base")
        assert (status, orjson.loads(body)["ready"]) == (200, False)
        for name in ("nobody", "a/b", "a%2Fb"):
            status, _, body = await _ask(running, "GET", f"/v1/models/{name}")
            assert (status, orjson.loads(body)["error"]["code"]) == (404, "model_not_found")
    async with _gateway(tmp_path, engine="http://127.0.0.1:9") as running:
        _, _, body = await _ask(running, "GET", "/v1/models/base")
        assert orjson.loads(body)["ready"] is True


async def test_a_sane_request_id_of_the_callers_is_kept_and_another_is_not(tmp_path: Path) -> None:
    async with _gateway(tmp_path) as running:
        for asked, kept in (("trace-1:a.b", True), ("x" * 129, False), ("a b", False)):
            _, headers, _ = await _ask(running, "GET", "/v1/models", headers={"x-request-id": asked})
            assert (headers["x-request-id"] == asked) is kept


async def test_pages_of_other_origins_are_let_in_only_where_settings_say_so(tmp_path: Path) -> None:
    page = {"origin": "https://chat.example", "access-control-request-headers": "authorization,content-type"}
    async with _gateway(tmp_path) as running:
        status, headers, _ = await _ask(running, "OPTIONS", "/v1/chat/completions", key=None, headers=page)
        assert (status, headers["allow"]) == (204, "POST, OPTIONS")
        assert "access-control-allow-origin" not in headers
    async with _gateway(tmp_path, cors_origins=("https://chat.example",)) as running:
        status, headers, _ = await _ask(running, "OPTIONS", "/v1/chat/completions", key=None, headers=page)
        assert (status, headers["access-control-allow-headers"]) == (204, "authorization,content-type")
        _, headers, _ = await _ask(running, "GET", "/v1/models", headers=page)
        assert headers["access-control-allow-origin"] == "https://chat.example"
        _, headers, _ = await _ask(running, "GET", "/v1/models", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in headers


async def test_limits_stand_on_refusals_too_which_count_and_what_we_cannot_answer_does_not(tmp_path: Path) -> None:
    chat = {"model": "base", "messages": [{"role": "user", "content": "hello"}]}
    async with _gateway(tmp_path) as running:
        status, before, _ = await _ask(running, "POST", "/v1/chat/completions", json={**chat, "n": 0})
        assert status == 400
        status, after, _ = await _ask(running, "POST", "/v1/chat/completions", json=chat)
        assert status == 503
        # The refused body counts, our failure does not.
        assert before["x-ratelimit-remaining-requests"] == "599"
        assert int(after["x-ratelimit-remaining-requests"]) >= 599
        assert after["x-ratelimit-remaining-tokens"] == after["x-ratelimit-limit-tokens"]


async def test_the_address_itself_says_what_it_is(tmp_path: Path) -> None:
    async with _gateway(tmp_path) as running:
        status, _, body = await _ask(running, "GET", "/", key=None)
        assert (status, orjson.loads(body)["base_url"]) == (200, "/v1")
        status, headers, body = await _ask(running, "GET", "/docs", key=None)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b"/v1/chat/completions" in body
        status, _, body = await _ask(running, "GET", "/openapi.json", key=None)
        assert "messages" in orjson.loads(body)["components"]["schemas"]["ChatRequest"]["required"]


STREAM = (
    b'data: {"id":"x","model":"base","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"x","model":"base","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'
    b"data: [DONE]\n\n"
)


async def test_a_caller_of_http_1_0_gets_a_stream_without_chunks(tmp_path: Path) -> None:
    async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(STREAM)}\r\n\r\n"
        writer.write(head.encode() + STREAM)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(engine, "127.0.0.1", 0)
    body = orjson.dumps({"model": "base", "stream": True, "messages": [{"role": "user", "content": "hello"}]})
    head = f"POST /v1/chat/completions HTTP/1.0\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
    async with server, _gateway(tmp_path, engine=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as running:
        found = await _raw(running, head.encode() + body)
    headers, _, text = found.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in headers.lower()
    assert text.startswith(b"data: ")
    assert text.endswith(b"data: [DONE]\n\n")


async def test_one_line_names_a_request_its_tenant_and_its_status_and_nothing_that_was_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    chat = {"model": "base", "messages": [{"role": "user", "content": "a secret"}]}
    async with _gateway(tmp_path) as running:
        status, _, _ = await _ask(running, "POST", "/v1/chat/completions", json=chat)
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("tenant=")]
    assert [line.partition(" first_byte_s")[0] for line in lines] == [f"tenant=acme model=base status={status}"]
    assert "secret" not in caplog.text


async def test_the_document_lists_every_route_with_every_status(tmp_path: Path) -> None:
    async with _gateway(tmp_path) as running:
        _, _, body = await _ask(running, "GET", "/openapi.json", key=None)
    paths = orjson.loads(body)["paths"]
    assert set(paths) >= {
        "/v1/models",
        "/v1/models/{name}",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
    }
    assert set(paths["/v1/models/{name}"]["get"]["responses"]) == {"200", "401", "404"}
    assert {"400", "401", "404", "408", "413", "429", "503"} <= set(paths["/v1/chat/completions"]["post"]["responses"])
