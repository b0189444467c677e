"""An engine's answers that the real one gives only when it is in trouble."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from operators.local.layout import free_port
from serving.agent import engine
from serving.agent.engine import connect


async def _busy(stack: AsyncExitStack, answer: str | int | None) -> bool:
    """`answer` is the text of /metrics, a status, or None for an engine that hangs."""

    async def metrics(_: web.Request) -> web.Response:
        if answer is None:
            await asyncio.sleep(60)
        return web.Response(status=answer) if isinstance(answer, int) else web.Response(text=answer or "")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return await (await stack.enter_async_context(connect(f"http://127.0.0.1:{port}", "key", "base"))).busy()


@pytest.mark.parametrize(
    ("answer", "busy"),
    [("vllm:num_requests_running{a=\"b\"} 0.0\n", False), ("vllm:num_requests_running{a=\"b\"} 2.0\n", True),
     (500, True), (None, True)],
)  # fmt: skip
async def test_only_an_answer_makes_an_engine_idle(
    answer: str | int | None, busy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ALIVE_TIMEOUT", aiohttp.ClientTimeout(total=0.3))
    async with AsyncExitStack() as stack:
        assert await _busy(stack, answer) is busy


async def test_an_engine_that_is_gone_is_idle() -> None:
    async with connect(f"http://127.0.0.1:{free_port()}", "key", "base") as gone:
        assert not await gone.busy()
