"""The ten nearest passages in a tenant of 1,000, 10,000 and 100,000, by our store and by others.

Protocol: the same made vectors (384 dimensions, 200 subjects) are put into FAISS (exact, in this process), a real
Milvus server and Milvus Lite. Questions are asked of all contestants in turn, one at a time, in random order: FAISS,
pymilvus for ids alone, and our store with passages and filters. The glue is what the query path of a question with
evidence takes beside the embedder and the calls of pymilvus, on the server.
"""

import asyncio
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import faiss
import numpy as np
from numpy.typing import NDArray
from pymilvus import MilvusClient

from benchmarks.report import Bar
from contract.search import Outcome, SearchRequest
from operators.local.layout import free_port
from retrieval.bm25 import Statistics
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.scope import Scope
from retrieval.search import Search
from retrieval.store import Chunk, KnowledgeBaseRow, Store
from retrieval.store.names import collection_of
from retrieval.store.rows import identifier
from tests.retrieval.chunks import stored
from tests.retrieval.conftest import milvus_lite
from tests.retrieval.milvus_server import ROOT, milvus_server

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (1_000, 10_000)
EMBEDDER, EMBEDDER_ID = Path("build/models/minilm"), "made"
SUBJECTS, SPREAD = 200, 0.6  # a passage's distance from the centre of its subject, in lengths of the centre
QUESTIONS, LITE_QUESTIONS, GLUE_QUESTIONS = 200, 20, 200
GLUE_PASSAGES = 50
TOP = 10
DIMENSIONS = 384
FAISS_TIMES, OVERHEAD_MS, GLUE_MS = 1.5, 1.0, 2.0
PAGE = 500

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Size:
    """Medians in milliseconds, and the share of FAISS' exact hits that our store on the server returns."""

    passages: int
    faiss: float
    bare: float
    server: float
    lite: float
    recall: float

    @property
    def overhead(self) -> float:
        return self.server - FAISS_TIMES * self.faiss


def run(quick: bool) -> tuple[dict[str, Bar], list[str]]:
    sizes = QUICK_SIZES if quick else SIZES
    with server_store() as server, lite_store() as lite:
        measured = [_measure(size, server, lite) for size in sizes]
        glue = asyncio.run(_glue(server))
    bars = {f"R7-{each.passages}": Bar(round(each.overhead, 2), OVERHEAD_MS, "ms", at_most=True) for each in measured}
    bars["R7-glue"] = Bar(round(glue, 2), GLUE_MS, "ms", at_most=True)
    return bars, [
        f"{each.passages:,} passages, medians: FAISS {each.faiss:.2f} ms; server, ids by pymilvus {each.bare:.2f} ms, "
        f"passages by the store {each.server:.2f} ms; Lite {each.lite:.0f} ms; recall {each.recall:.3f}"
        for each in measured
    ]


@contextmanager
def server_store() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        server = milvus_server(Path(folder) / "server")
        with server.running(), _opened(server.uri, ROOT) as store:
            yield store


@contextmanager
def lite_store() -> Iterator[Store]:
    port = free_port()
    with TemporaryDirectory() as folder, milvus_lite(Path(folder), port), _opened(f"http://127.0.0.1:{port}") as store:
        yield store


@contextmanager
def _opened(uri: str, token: str = "") -> Iterator[Store]:
    store = Store(uri, token=token, dimension=DIMENSIONS, timeout=120)
    try:
        yield store
    finally:
        store.close()


def _measure(size: int, server: Store, lite: Store) -> Size:
    vectors, questions = _vectors(size, seed=1), _vectors(QUESTIONS, seed=2)
    scope = Scope(f"tenant-{size}", ("docs",))
    index = faiss.IndexFlatIP(DIMENSIONS)
    index.add(vectors)
    for store in (server, lite):
        _fill(store, scope, vectors)
    client = server._opened()
    client.flush(collection_of(scope.tenant, DIMENSIONS))
    _wait_for_index(client, collection_of(scope.tenant, DIMENSIONS))
    times = _interleaved(
        {
            "faiss": lambda question: index.search(question[None], TOP),
            "bare": lambda question: client.search(
                collection_of(scope.tenant, DIMENSIONS), data=[question.tolist()], anns_field="dense", limit=TOP
            ),
            "server": lambda question: server.dense(scope, EMBEDDER_ID, question, TOP),
        },
        questions,
    )
    times |= _interleaved(
        {"lite": lambda question: lite.dense(scope, EMBEDDER_ID, question, TOP)}, questions[:LITE_QUESTIONS]
    )
    client.close()
    exact = index.search(questions, TOP)[1]
    hits = [{hit.ordinal for hit in server.dense(scope, EMBEDDER_ID, question, TOP)} for question in questions]
    recall = np.mean([len(each & set(row.tolist())) / TOP for each, row in zip(hits, exact, strict=True)])
    return Size(size, times["faiss"], times["bare"], times["server"], times["lite"], float(recall))


def _vectors(count: int, seed: int) -> Matrix:
    """float32[count, 384] of length 1, around centres that do not depend on the seed."""
    centres = np.random.default_rng(0).standard_normal((SUBJECTS, DIMENSIONS))
    chance = np.random.default_rng(seed)
    vectors = centres[chance.integers(SUBJECTS, size=count)] + SPREAD * chance.standard_normal((count, DIMENSIONS))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _fill(store: Store, scope: Scope, vectors: Matrix) -> None:
    store.create(scope)
    for start in range(0, len(vectors), PAGE):
        store.upsert(scope, [_chunk(scope, start + place, row) for place, row in enumerate(vectors[start:][:PAGE])])
    store.publish(scope.tenant, KnowledgeBaseRow("docs", Statistics(len(vectors), {})))
    store.settle(scope)
    print(f"{scope.tenant}: {store.count(scope, scope.chunks()):,} passages are stored", file=sys.stderr)


def _chunk(scope: Scope, number: int, vector: Matrix) -> Chunk:
    text = f"Passage {number} of a tenant's documents, as long as a sentence or two of them usually is." * 4
    return Chunk(
        id=identifier(scope.tenant, str(number)), knowledge_base="docs", document_id="d", document="d.txt", file_id="",
        attributes={}, version="1", dated=0, ordinal=number, page=0, heading="", text=text, terms=("passage",),
        content=str(number), embedder=EMBEDDER_ID, dense=vector,
    )  # fmt: skip


def _wait_for_index(client: MilvusClient, collection: str) -> None:
    while client.describe_index(collection, "dense").get("pending_index_rows", 0):
        time.sleep(0.5)


def _interleaved(contestants: dict[str, Callable[[Matrix], object]], questions: Matrix) -> dict[str, float]:
    """The median milliseconds of each."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    order = random.Random(0)
    for question in questions:
        for name in order.sample(sorted(contestants), len(contestants)):
            begun = time.perf_counter()
            contestants[name](question)
            times[name].append((time.perf_counter() - begun) * 1_000)
    return {name: median(each) for name, each in times.items()}


async def _glue(store: Store) -> float:
    """The median milliseconds of the query path beside the calls of pymilvus; the question is embedded before."""
    embedder = SentenceEncoder(EMBEDDER)
    scope = Scope("glue", ("docs",))
    texts = [f"The refund window of plan {number} is {number + 20} days." for number in range(GLUE_PASSAGES)]
    await asyncio.to_thread(stored, store, embedder, scope, texts)
    await asyncio.to_thread(store.count, scope, scope.chunks())
    search = Search(store, embedder, cached=10, pool=TOP)
    request = SearchRequest(tenant="glue", knowledge_bases=["docs"], query="What is the refund window of plan 7?")
    beside = []
    with _timed_calls() as calls:
        for _question in range(GLUE_QUESTIONS):
            calls.clear()
            begun = time.perf_counter()
            response = await search.answer(request)
            beside.append(time.perf_counter() - begun - sum(calls))
            if response.outcome is not Outcome.EVIDENCE:
                raise SystemExit(f"the question finds no evidence: {response.outcome}")
    return median(beside[1:]) * 1_000


@contextmanager
def _timed_calls() -> Iterator[list[float]]:
    """The seconds of each search and query of pymilvus meanwhile."""
    calls: list[float] = []
    originals = {name: getattr(MilvusClient, name) for name in ("search", "query")}

    def timed(name: str) -> Callable[..., object]:
        def call(client: MilvusClient, *args: object, **options: object) -> object:
            begun = time.perf_counter()
            result: object = originals[name](client, *args, **options)
            calls.append(time.perf_counter() - begun)
            return result

        return call

    for name in originals:
        setattr(MilvusClient, name, timed(name))
    try:
        yield calls
    finally:
        for name, original in originals.items():
            setattr(MilvusClient, name, original)
