"""The engine behind a running platform, reached without its gateway: what the gateway is compared with."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from examples.demo.platform import Platform
from service.addresses import UNIX


@dataclass(frozen=True)
class Engine:
    """`url` is its address, as `service.addresses` reads it."""

    url: str
    key: str

    def get(self, path: str) -> str:
        """What a page of it says."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.url.removeprefix(UNIX))
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text


def engine(platform: Platform) -> Engine:
    environment = platform.part("serving.gateway").environ()
    endpoint = platform.objects("baseModels")[0]["status"]["endpoints"][0]["url"]
    return Engine(endpoint, environment["QUIVER_GATEWAY_ENGINE_API_KEY"])


@contextmanager
def on_tcp(address: str) -> Iterator[str]:
    """A URL at which the engine answers as well: for clients, and for gateways of earlier commits, that speak TCP
    alone."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(_relay(address.removeprefix(UNIX)), loop).result(10)
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _relay(path: str) -> int:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while block := await reader.read(65_536):
            writer.write(block)
            await writer.drain()
    writer.close()
