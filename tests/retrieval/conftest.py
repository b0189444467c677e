"""A real Milvus Lite server, the real embedder, and the real applications over HTTP."""

import asyncio
import contextlib
import itertools
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import uvicorn
from pymilvus import MilvusClient
from starlette.applications import Starlette

from operators.local.layout import free_port
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.store import Store
from tests.retrieval.embedders import DIMENSIONS

MODEL = Path(__file__).parents[2] / "build" / "models" / "minilm"
TOKEN = "test-token-of-this-run"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

_numbers = itertools.count()


# Starts a program in place of a process that is killed with its parent, so that no server outlives a test run that is
# killed. (A preexec_fn could do it too, and hangs now and then: this process has gRPC's threads when it forks.)
_DIE_WITH_PARENT = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"


def dying_with_parent(*command: str) -> list[str]:
    """The command of a process that does not outlive this one."""
    return [sys.executable, "-c", _DIE_WITH_PARENT, *command]


def python(*arguments: str) -> list[str]:
    """The command of a Python process that does not outlive this one."""
    return dying_with_parent(sys.executable, *arguments)


@contextlib.contextmanager
def milvus_lite(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process over a data directory, killed at the end."""
    command = python("-m", "milvus_lite", "server", "--host", "127.0.0.1")
    with subprocess.Popen(
        [*command, "--port", str(port), "--data-dir", str(data)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_until(lambda: listening(port), seconds=60)
            yield server
        finally:
            server.kill()


def listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(held: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    with milvus_lite(tmp_path_factory.mktemp("milvus"), port):
        yield f"http://127.0.0.1:{port}"


def collections_in(uri: str) -> list[str]:
    """The names of all collections of a Milvus."""
    client = MilvusClient(uri)
    try:
        return list(client.list_collections())
    finally:
        client.close()


@pytest.fixture(scope="session")
def store(milvus: str) -> Iterator[Store]:
    opened = Store(milvus, dimension=DIMENSIONS, timeout=20)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def model() -> Path:
    if not (MODEL / "model.onnx").is_file():
        pytest.skip(f"no embedder in {MODEL}: python -m retrieval.embedding.export makes it")
    return MODEL


@pytest.fixture(scope="session")
def embedder(model: Path) -> SentenceEncoder:
    return SentenceEncoder(model, threads=2)


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test has."""
    return f"tenant-{next(_numbers)}"


@contextlib.asynccontextmanager
async def served(create: Callable[[], Starlette]) -> AsyncIterator[str]:
    app = await asyncio.to_thread(create)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            assert not serving.done(), "the application did not start"
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


Serve = Callable[[Callable[[], Starlette]], AbstractAsyncContextManager[str]]


@pytest.fixture
def serve() -> Serve:
    """Serve an application on a free port; made off the loop, as its constructor reads files."""
    return served
