"""A gateway that runs in the test's own loop, where a blocking call fails the test."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import uvicorn

from serving.gateway.__main__ import configuration
from serving.gateway.settings import Settings


@dataclass(frozen=True)
class Running:
    url: str
    internal_url: str
    server: uvicorn.Server

    async def metric(self, session: aiohttp.ClientSession, name: str, *labels: str) -> float:
        async with session.get(f"{self.internal_url}/metrics") as response:
            lines = (await response.text()).splitlines()
        found = (line for line in lines if line.startswith(f"quiver_gateway_{name}{{"))
        return sum(float(line.rpartition(" ")[2]) for line in found if all(label in line for label in labels))


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Running]:
    """On two free ports, whatever the settings say."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    port, internal_port = (bound.getsockname()[1] for bound in sockets)
    server = uvicorn.Server(configuration(settings.model_copy(update={"port": port, "internal_port": internal_port})))
    task = asyncio.create_task(server.serve(sockets=sockets))
    running = Running(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{internal_port}", server)
    try:
        await _synced(running)
        yield running
    finally:
        server.should_exit = True
        await task


async def _synced(running: Running) -> None:
    async with asyncio.timeout(10), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{running.url}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.01)
