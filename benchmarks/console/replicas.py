"""C5: two replicas behind one address; one is killed during an upload, and one during an answer."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.console.person import LIMIT_MS, Manner, person
from benchmarks.console.stage import Stage, environment
from benchmarks.report import Bar
from operators.local.layout import LOOPBACK, free_port

PIECE = 16 * 1024
SLOW_S = 0.02  # between pieces of an upload: time for a kill
FACT = "The refund window of the Zefra Basic plan is 77 days."


def bars(stage: Stage, browser: Browser, notes: list[str]) -> dict[str, Bar]:
    lost = []
    with replicas(stage, 2) as running, balanced(running) as front:
        for what, trial in (("upload", _upload), ("answer", _answer)):
            fault = trial(stage, browser, front, running)
            lost += [f"{what}: {fault}"] if fault else []
    notes += [f"C5 {each}" for each in lost]
    return {"C5": Bar(len(lost), 0, "lost", at_most=True)}


@dataclass
class Replica:
    port: int
    process: "subprocess.Popen[bytes]"


@contextmanager
def replicas(stage: Stage, count: int) -> Iterator[list[Replica]]:
    """Further processes of the console, with the settings of the running one."""
    running: list[Replica] = []
    try:
        for _ in range(count):
            port = free_port()
            running.append(Replica(port, _started(stage, port)))
        yield running
    finally:
        for each in running:
            each.process.kill()
            each.process.wait()


def _started(stage: Stage, port: int) -> "subprocess.Popen[bytes]":
    settings = environment(stage.platform, "console") | {"QUIVER_CONSOLE_PORT": str(port)}
    settings.pop("QUIVER_CONSOLE_SOCKET", None)
    process = subprocess.Popen([sys.executable, "-m", "console"], env=settings, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
    except TimeoutError:
        process.kill()
        raise
    return process


def _wait_for(port: int) -> None:
    for _ in range(600):
        with suppress(OSError), urllib.request.urlopen(f"http://{LOOPBACK}:{port}/readyz", timeout=5):
            return
        time.sleep(0.1)
    raise TimeoutError(f"the replica on port {port} does not start")


@dataclass
class Balancer:
    """Passes each connection on to the next living replica; uploads go slowly."""

    replicas: list[Replica]
    turn: int = 0
    uploading: Replica | None = None
    answering: Replica | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        replica, upstream = await self._connected()
        if upstream is None or replica is None:
            writer.close()
            return
        into, out_of = upstream[1], upstream[0]
        is_upload = b"POST /uploads/" in head
        if is_upload:
            self.uploading = replica
        if b"POST /ask/stream" in head:
            self.answering = replica
        into.write(head.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
        await asyncio.gather(_copy(reader, into, SLOW_S if is_upload else 0), _copy(out_of, writer, 0))

    async def _connected(
        self,
    ) -> tuple[Replica | None, tuple[asyncio.StreamReader, asyncio.StreamWriter] | None]:
        for _ in range(len(self.replicas)):
            self.turn += 1
            replica = self.replicas[self.turn % len(self.replicas)]
            with suppress(OSError):
                return replica, await asyncio.open_connection(LOOPBACK, replica.port)
        return None, None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause_s: float) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
            if pause_s:
                await asyncio.sleep(pause_s)
    with suppress(OSError):
        writer.close()


@contextmanager
def balanced(running: list[Replica]) -> Iterator["Front"]:
    """In a loop of its own thread: playwright has this one's."""
    port, balancer, loop = free_port(), Balancer(running), asyncio.new_event_loop()
    listening = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(asyncio.start_server(balancer.serve, LOOPBACK, port, limit=2**20))
        listening.set()
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    listening.wait()
    try:
        yield Front(f"http://{LOOPBACK}:{port}", balancer)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@dataclass
class Front:
    url: str
    balancer: Balancer


def _upload(stage: Stage, browser: Browser, front: Front, _running: list[Replica]) -> str:
    """The fault, "" if the file is ready in spite of the kill."""
    store = stage.store("acme", "killed")
    with tempfile.TemporaryDirectory() as folder, person(browser, front.url, Manner("en", 1280), stage.key) as someone:
        file = Path(folder, "large.html")
        file.write_text(f"<!-- {os.urandom(1_000_000).hex()} --><p>{FACT}</p>")  # long on the way, quick to index
        page = someone.page
        page.goto(f"{front.url}/documents/{store}")
        page.set_input_files("#file", file)
        page.locator("[data-uploads] li", has_text=re.compile(r"[1-9]\d* % sent")).wait_for(timeout=LIMIT_MS)
        _kill(front.balancer.uploading)
        line = page.locator("[data-uploads] li")
        line.filter(has_text=re.compile("sent again")).wait_for(timeout=LIMIT_MS)
        line.filter(has_text=re.compile("ready|failed|not sent")).wait_for(timeout=2 * LIMIT_MS)
        said = line.inner_text()
    with stage.client() as client:
        listed = [each.status for each in client.vector_stores.files.list(store)]
    return "" if "ready" in said and listed == ["completed"] else f"the page says {said!r}, the collection has {listed}"


def _answer(stage: Stage, browser: Browser, front: Front, running: list[Replica]) -> str:
    _restart(stage, running)
    with person(browser, front.url, Manner("en", 1280), stage.key) as someone:
        page = someone.page
        page.goto(f"{front.url}/ask")
        page.fill("#question", "Tell me everything about the refund window of the Velmora Basic plan?")
        page.press("#question", "Enter")
        while front.balancer.answering is None:
            page.wait_for_timeout(5)
        _kill(front.balancer.answering)
        page.locator(".answer .rating").wait_for(timeout=LIMIT_MS)
        said = page.locator(".answer .said").first.inner_text()
    return "" if said else "there is no answer"


def _kill(replica: Replica | None) -> None:
    if replica is None:
        raise AssertionError("no replica had the request")
    replica.process.kill()
    replica.process.wait()


def _restart(stage: Stage, running: list[Replica]) -> None:
    for each in running:
        if each.process.poll() is not None:
            each.process = _started(stage, each.port)
