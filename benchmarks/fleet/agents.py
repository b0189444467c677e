"""The agents of many replicas in one process. Each has its own loopback address."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from benchmarks.operator.agent import Agent
from operators.local.layout import free_port

_Method = Callable[[Agent, web.Request], Awaitable[web.Response]]


def addresses(count: int) -> list[str]:
    """At most 250."""
    return [f"127.0.1.{number}" for number in range(1, count + 1)]


@asynccontextmanager
async def agents(count: int) -> AsyncIterator[Sequence[Agent]]:
    """All have one port, as the agents of pods have."""
    port = free_port()
    by_address = {address: Agent(port) for address in addresses(count)}

    def route(method: _Method) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            assert request.transport is not None
            return await method(by_address[request.transport.get_extra_info("sockname")[0]], request)

        return handle

    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_put("/v1/desired", route(Agent.desire))
    app.router.add_patch("/v1/desired", route(Agent.change))
    app.router.add_get("/v1/status", route(Agent.status))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    for address in by_address:
        await web.TCPSite(runner, address, port).start()
    try:
        yield [*by_address.values()]
    finally:
        await runner.cleanup()
