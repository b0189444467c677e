"""Documents a second, and what a hostile tenant's file costs another tenant.

Protocol: documents of five types, six paragraphs each, are ingested from a folder into a Milvus Lite of their own, by
the worker with its sandbox on and by a loop of LangChain's loader, splitter and store with the same model, in turn.
Then each of some tenants has a file as bad as the parsers' limits allow (compressed, cubic, long), and another tenant
saves a line of text meanwhile.
"""

import asyncio
import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from benchmarks.report import Bar
from benchmarks.retrieval.questions import handbook
from operators.local.layout import free_port
from retrieval.ingest.app import create_app
from tests.retrieval.conftest import HEADERS, milvus_lite, served
from tests.retrieval.ingest.files import docx, pdf
from tests.retrieval.ingest.test_api import settings

MODEL = Path("build/models/minilm")
PEERS = Path(".venv-peers/bin/python")
TYPES = ("txt", "md", "html", "docx", "pdf")
DOCUMENTS, TURNS, QUICK_DOCUMENTS, QUICK_TURNS = 300, 3, 100, 1
PARAGRAPHS = 6
LINE_CHARACTERS = 90  # of a line of a PDF
LINE_S = 2.0
POLL_S, MOST_S = 0.05, 900

Status = Mapping[str, Any]


@dataclass(frozen=True)
class Rate:
    documents: int
    seconds: float
    chunks: int

    @property
    def each_second(self) -> float:
        return self.documents / self.seconds


@dataclass(frozen=True)
class Ingest:
    """The API of a running worker."""

    url: str
    session: aiohttp.ClientSession

    async def desire(self, sources: Mapping[str, Path]) -> None:
        """A knowledge base for each tenant."""
        listed = [
            {"tenant": tenant, "name": "docs", "sources": [{"path": str(path)}]} for tenant, path in sources.items()
        ]
        async with self.session.put(f"{self.url}/v1/knowledge-bases", json={"knowledge_bases": listed}) as answer:
            answer.raise_for_status()

    async def status(self, tenant: str) -> Status:
        async with self.session.get(f"{self.url}/v1/knowledge-bases") as answer:
            answer.raise_for_status()
            bases: list[Status] = (await answer.json())["knowledge_bases"]
        return next(base for base in bases if base["tenant"] == tenant)

    async def wait_until(self, reached: Callable[[Status], bool], tenant: str) -> Status:
        async with asyncio.timeout(MOST_S):
            while True:
                status = await self.status(tenant)
                if reached(status):
                    return status
                await asyncio.sleep(POLL_S)

    async def wait_for(self, tenant: str, documents: int) -> Status:
        """Until so many documents of a tenant are indexed."""
        return await self.wait_until(
            lambda status: sum(each["state"] == "Ready" for each in status["documents"]) >= documents, tenant
        )


def run(quick: bool) -> tuple[dict[str, Bar], list[str]]:
    count, turns = (QUICK_DOCUMENTS, QUICK_TURNS) if quick else (DOCUMENTS, TURNS)
    with TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        _write(library, count)
        pairs = [(_ours(library, Path(folder) / f"turn-{turn}"), _peer(library)) for turn in range(turns)]
        delays = asyncio.run(_beside_bombs(Path(folder) / "hostile"))
    bars = {
        "R8": Bar(round(median(ours.each_second / peer.each_second for ours, peer in pairs), 2), 1.0, "times"),
        "R8-bomb": Bar(round(max(delays.values()), 2), LINE_S, "s", at_most=True),
    }
    return bars, [
        *(f"{ours.each_second:.1f} documents/s ({ours.chunks} chunks), LangChain's loop {peer.each_second:.1f} "
          f"({peer.chunks})" for ours, peer in pairs),
        f"a line beside {', '.join(f'{name} {delay:.2f}' for name, delay in delays.items())} s",
    ]  # fmt: skip


def _write(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    paragraphs = [passage for document in handbook("en") for passage in document.passages]
    chance = random.Random(0)
    for number in range(count):
        texts = [f"Document {number}, part {part}. {text}" for part, text in
                 enumerate(chance.sample(paragraphs, PARAGRAPHS))]  # fmt: skip
        type_ = TYPES[number % len(TYPES)]
        (folder / f"{number:04}.{type_}").write_bytes(_encoded(type_, texts))


def _encoded(type_: str, texts: Sequence[str]) -> bytes:
    if type_ == "docx":
        return docx([("Normal", escape(text)) for text in texts])
    if type_ == "pdf":
        return pdf([line for text in texts for line in _lines(text)])
    if type_ == "html":
        return f"<html><body>{''.join(f'<p>{escape(text)}</p>' for text in texts)}</body></html>".encode()
    return "\n\n".join(texts).encode()


def _lines(text: str) -> list[str]:
    plain = text.encode("ascii", "ignore").decode().translate(str.maketrans("()\\", "   "))
    return [plain[start : start + LINE_CHARACTERS] for start in range(0, len(plain), LINE_CHARACTERS)]


@asynccontextmanager
async def _worker(folder: Path) -> AsyncIterator[Ingest]:
    """On a Milvus Lite of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with milvus_lite(folder / "milvus", port):
        chosen = settings(f"http://127.0.0.1:{port}", MODEL, folder)
        async with served(lambda: create_app(chosen)) as url, aiohttp.ClientSession(headers=HEADERS) as session:
            yield Ingest(url, session)


def _ours(library: Path, folder: Path) -> Rate:
    return asyncio.run(_ingested(library, folder))


async def _ingested(library: Path, folder: Path) -> Rate:
    documents = len(list(library.iterdir()))
    async with _worker(folder) as ingest:
        begun = time.monotonic()
        await ingest.desire({"acme": library})
        await _all_ready(folder / "ledger.db", documents)
        seconds = time.monotonic() - begun
        status = await ingest.status("acme")
    print(f"the worker took {seconds:.1f} s for {documents} documents", file=sys.stderr)
    return Rate(documents, seconds, status["chunks"])


async def _all_ready(ledger: Path, documents: int) -> None:
    """Reads the worker's ledger: to answer with the state of every document takes it some milliseconds."""
    ready = "SELECT count(*) FROM documents WHERE state = 'Ready'"
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        async with asyncio.timeout(MOST_S):
            while connection.execute(ready).fetchone()[0] < documents:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)


def _peer(library: Path) -> Rate:
    port = free_port()
    with TemporaryDirectory() as data, milvus_lite(Path(data), port):
        command = [str(PEERS), "-m", "benchmarks.retrieval.langchain_loop", str(library), f"http://127.0.0.1:{port}"]
        done = subprocess.run([*command, str(MODEL)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"LangChain's loop failed:\n{done.stderr}")
    measured = json.loads(done.stdout.splitlines()[-1])
    print(f"LangChain's loop took {measured['seconds']:.1f} s", file=sys.stderr)
    return Rate(len(list(library.iterdir())), measured["seconds"], measured["chunks"])


async def _beside_bombs(folder: Path) -> dict[str, float]:
    """By hostile file: the seconds from the save of a line to its indexed document, while the worker has the file."""
    quiet = folder / "quiet"
    quiet.mkdir(parents=True)
    delays = {}
    async with _worker(folder) as ingest:
        for number, (name, content) in enumerate(_bombs().items()):
            hostile = folder / name
            hostile.mkdir()
            (hostile / name).write_bytes(content)
            await ingest.desire({"quiet": quiet, f"hostile-{number}": hostile})
            await ingest.wait_until(_is_in_work, f"hostile-{number}")
            delays[name] = await _delay(ingest, quiet, number)
    return delays


def _is_in_work(status: Status) -> bool:
    return any(each["state"] in ("Parsing", "Embedding", "Failed", "Ready") for each in status["documents"])


async def _delay(ingest: Ingest, quiet: Path, number: int) -> float:
    begun = time.monotonic()
    (quiet / f"{number}.txt").write_text(f"Line {number} of the quiet tenant.")
    await ingest.wait_for("quiet", number + 1)
    return time.monotonic() - begun


def _bombs() -> dict[str, bytes]:
    words = " ".join(f"word{number}" for number in range(50_000))
    return {
        "long.txt": words.encode(),
        "spaces.md": b"#" + b" " * 100_000 + b"x" + b" " * 100_000 + b"#",
        "nested.html": b"<div>" * 100_000 + words.encode(),
        "brackets.md": b"[" * 50_000 + b"](" * 50_000,
        "zeros.docx": docx([("Normal", "text")], padding=400_000_000),
        "long.docx": docx([("Normal", words)] * 8),
    }
