"""One tenant's large vector store, and what another tenant notices of it.

Protocol: gateway, ingest worker and search run in one process on a real Milvus Lite. Tenant a uploads documents of one
line, and attaches them while eight clients look at its store without pause; meanwhile tenant b uploads a line into its
own store, several times. Bar: b's document is indexed within two seconds.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import openai

from benchmarks.report import Bar
from operators.local.layout import free_port
from tests.retrieval.conftest import milvus_lite, served
from tests.retrieval.documents.platform import Documents, documents

EMBEDDER = Path("build/models/minilm")
TENANTS = ("a", "b")
LIMITS = {"max_bytes": 1_000_000_000, "max_files": 20_000, "max_vector_stores": 5}
DOCUMENTS, QUICK_DOCUMENTS = 10_000, 2_000
BATCH = 2_000  # the API's limit
FIRST = 200  # documents, to measure the worker alone
UPLOADERS, LOOKERS = 8, 8
TIMES = 5
PAGE = 100
ANSWER_S = 2.0


@dataclass(frozen=True)
class Measured:
    """`answers` are seconds from tenant b's upload to its indexed document; `looks` are a's meanwhile."""

    indexed: float  # documents a second
    answers: Sequence[float]
    looks: int
    listing: float  # seconds


def run(quick: bool) -> tuple[dict[str, Bar], list[str]]:
    count = QUICK_DOCUMENTS if quick else DOCUMENTS
    with TemporaryDirectory() as folder:
        measured = asyncio.run(measure(Path(folder), count))
    return {"S1": Bar(round(max(measured.answers), 2), ANSWER_S, "s", at_most=True)}, [
        f"{count:,} documents; {measured.looks} looks at them meanwhile",
        f"S1: {', '.join(f'{seconds:.1f}' for seconds in measured.answers)} s",
        f"the worker alone indexes {measured.indexed:.0f} documents of one line a second",
        f"all documents are listed, {PAGE} a page, in {measured.listing:.1f} s",
    ]


async def measure(folder: Path, count: int) -> Measured:
    port = free_port()
    with milvus_lite(folder / "milvus", port):
        running = documents(served, f"http://127.0.0.1:{port}", EMBEDDER, folder, TENANTS)
        async with running as platform, platform.client("a-all") as large, platform.client("b-all") as small:
            await platform.desire(dict.fromkeys(TENANTS, LIMITS))
            store = (await large.vector_stores.create()).id
            ids = await _uploaded(platform, count)
            print(f"{count:,} files are uploaded", file=sys.stderr)
            begun = time.monotonic()
            await large.vector_stores.file_batches.create_and_poll(store, file_ids=ids[:FIRST])
            indexed = FIRST / (time.monotonic() - begun)
            await _attach(platform, store, ids[FIRST:])
            async with _looking(large, store) as looks:
                answers = [await _answer(small, number) for number in range(TIMES)]
            begun = time.monotonic()
            listed = [file.id async for file in large.vector_stores.files.list(store, limit=PAGE)]
            listing = time.monotonic() - begun
            if sorted(listed) != sorted(ids):
                raise SystemExit(f"the list has {len(set(listed)):,} of {count:,} documents")
    return Measured(indexed, answers, sum(looks), listing)


async def _uploaded(platform: Documents, count: int) -> list[str]:
    """The ids. The ingest worker is asked directly: the gateway limits the requests of a tenant."""
    turns = asyncio.Semaphore(UPLOADERS)

    async def upload(number: int) -> str:
        form = aiohttp.FormData({"purpose": "assistants"})
        form.add_field("file", f"Rule {number} is about the subject {number * 7919}.", filename=f"{number}.txt")
        async with turns, platform.session.post(f"{platform.ingest_url}/v1/tenants/a/files", data=form) as answer:
            answer.raise_for_status()
            return str((await answer.json())["id"])

    return list(await asyncio.gather(*map(upload, range(count))))


async def _attach(platform: Documents, store: str, ids: Sequence[str]) -> None:
    url = f"{platform.ingest_url}/v1/tenants/a/vector_stores/{store}/file_batches"
    for start in range(0, len(ids), BATCH):
        async with platform.session.post(url, json={"file_ids": ids[start : start + BATCH]}) as answer:
            answer.raise_for_status()


async def _answer(client: openai.AsyncOpenAI, number: int) -> float:
    """Seconds until a new line is indexed."""
    store = (await client.vector_stores.create()).id
    begun = time.monotonic()
    file = ("line.txt", f"The plan {number} costs {number + 7} euros.".encode())
    document = await client.vector_stores.files.upload_and_poll(vector_store_id=store, file=file)
    if document.status != "completed":
        raise SystemExit(f"{document.id} is {document.status}: {document.last_error}")
    return time.monotonic() - begun


@asynccontextmanager
async def _looking(client: openai.AsyncOpenAI, store: str) -> AsyncIterator[list[int]]:
    """Clients that look without pause. Their looks are counted."""
    looks = [0] * LOOKERS

    async def look(number: int) -> None:
        while True:
            await client.vector_stores.retrieve(store)
            looks[number] += 1

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(look(number)) for number in range(LOOKERS)]
        yield looks
        for task in tasks:
            task.cancel()
