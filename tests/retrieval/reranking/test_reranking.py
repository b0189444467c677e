"""Hits are put in order by a real cross-encoder, in this process and behind an address; failures change nothing."""

import asyncio
import contextlib
import math
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from contract.search import Evidence, SearchRequest
from operators.settings import Settings
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.errors import RerankerError
from retrieval.ranking import reordered
from retrieval.reranking.cross_encoder import MOST_WAITING, CrossEncoder
from retrieval.reranking.remote import MOST_BYTES
from retrieval.reranking.reranker import Reranker, opened
from retrieval.scope import Scope
from retrieval.search import Search
from retrieval.store import Store
from tests.retrieval.chunks import stored

PASSAGES = ["The refund window is 30 days.", "Support answers within two hours.", "The cellar opens at seven."]
TOKEN = SecretStr("token-of-the-test")


def evidence(text: str, score: float = 0.5) -> Evidence:
    return Evidence(
        chunk_id=text, document_id="d", document="d.txt", knowledge_base="kb", ordinal=0, heading="", text=text,
        score=score, dense_score=None, lexical_score=None,
    )  # fmt: skip


@given(st.lists(st.floats(-5, 5), max_size=5), st.integers(0, 3))
def test_scored_hits_come_first_by_score_and_the_others_keep_their_order(scores: list[float], more: int) -> None:
    hits = [evidence(str(number)) for number in range(len(scores) + more)]
    found = reordered(hits, scores)
    assert [item.rerank_score for item in found] == [*sorted(scores, reverse=True), *[None] * more]
    assert [item.text for item in found[len(scores) :]] == [item.text for item in hits[len(scores) :]]
    assert {item.text for item in found} == {item.text for item in hits}


# A classifier of random weights over the embedder's vocabulary.
MAKE_MODEL = """
import shutil, sys, torch
from transformers import BertConfig, BertForSequenceClassification
from retrieval.embedding.export import weights_directory
torch.manual_seed(0)
config = BertConfig(vocab_size=30522, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
                    num_labels=1, initializer_range=0.5)
BertForSequenceClassification(config).eval().save_pretrained(sys.argv[1])
shutil.copy(weights_directory() / "tokenizer.json", sys.argv[1])
"""


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exported by the script, in the engine's environment."""
    python = Settings().engine_python
    if not python.is_file():
        pytest.skip("the engine's environment is not there: make setup")
    folder = tmp_path_factory.mktemp("cross-encoder")
    made, exported = folder / "made", folder / "exported"
    subprocess.run([python, "-c", MAKE_MODEL, str(made)], check=True, capture_output=True)
    command = [str(python), "-m", "retrieval.reranking.export", str(made), str(exported)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return exported


async def in_process(folder: Path, seconds: float) -> Reranker:
    return await asyncio.to_thread(opened, str(folder), model="", token=SecretStr(""), seconds=seconds)


async def test_a_passage_has_one_score_whatever_stands_beside_it(cross_encoder: Path) -> None:
    reranker = await in_process(cross_encoder, 60)
    together = await reranker.scores("When is a refund possible?", PASSAGES * 3)
    assert together[:3] == pytest.approx(together[3:6], abs=1e-4)
    assert len(set(together)) > 1
    for passage, score in zip(PASSAGES, together, strict=False):
        assert await reranker.scores("When is a refund possible?", [passage]) == pytest.approx([score], abs=1e-4)
    assert await reranker.scores("When does the cellar open?", PASSAGES) != pytest.approx(together[:3], abs=1e-4)
    await reranker.close()


async def test_what_is_too_long_is_cut(cross_encoder: Path) -> None:
    reranker = await in_process(cross_encoder, 60)
    assert len(await reranker.scores("word " * 2_000, ["passage " * 5_000, ""])) == 2
    await reranker.close()


async def test_without_time_no_passage_is_read(cross_encoder: Path) -> None:
    reranker = await in_process(cross_encoder, 1e-9)
    assert await reranker.scores("When?", PASSAGES * 10) == []
    await reranker.close()


async def test_a_slow_model_delays_no_search_beyond_its_time_and_turns_further_ones_away(
    cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reranker = await asyncio.to_thread(CrossEncoder, cross_encoder, seconds=0.05)
    released = threading.Event()
    monkeypatch.setattr(reranker, "_score", lambda *_pair: released.wait(60))
    waiting = [asyncio.create_task(reranker.scores("When?", PASSAGES)) for _search in range(MOST_WAITING)]
    assert await asyncio.gather(*waiting) == [[]] * MOST_WAITING
    with pytest.raises(RerankerError, match="busy"):
        await reranker.scores("When?", PASSAGES)
    released.set()
    await reranker.close()


async def test_a_model_that_fails_is_said(cross_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reranker = await asyncio.to_thread(CrossEncoder, cross_encoder, seconds=60)

    def fail(*_pair: object) -> float:
        raise RuntimeError("broadcast 128 by 326")

    monkeypatch.setattr(reranker, "_score", fail)
    with pytest.raises(RerankerError, match=r"failed \(RuntimeError\)"):
        await reranker.scores("When?", PASSAGES)
    await reranker.close()


class Fixed:
    """A re-ranker with these scores, or one that fails."""

    def __init__(self, scores: dict[str, float] | None) -> None:
        self.by_text, self.asked = scores, ""

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        self.asked = question
        if self.by_text is None:
            raise RerankerError("It is away.")
        return [self.by_text[passage] for passage in passages]

    async def close(self) -> None: ...


async def test_a_search_is_reranked_by_the_question_that_found_its_hits(
    store: Store, embedder: SentenceEncoder, tenant: str
) -> None:
    texts = ["The Basic plan costs 9 euros.", "The Basic plan has 5 GB of data."]
    await asyncio.to_thread(stored, store, embedder, Scope(tenant, ("kb",)), texts)
    reranker = Fixed({texts[0]: 1.0, texts[1]: 2.0})
    asked = SearchRequest(tenant=tenant, knowledge_bases=["kb"], query="What does the Basic plan cost?", explain=True)
    plain, better, failed = [
        await Search(store, embedder, cached=9, pool=9, reranker=each).answer(asked)
        for each in (None, reranker, Fixed(None))
    ]
    assert [item.text for item in plain.evidence] == texts == [item.text for item in failed.evidence]
    assert [item.text for item in better.evidence] == texts[::-1] == [item.text for item in better.considered]
    assert (plain.reranked, better.reranked, failed.reranked) == (None, 2, 0)
    assert reranker.asked == asked.query
    later = asked.model_copy(update={"query": "And how much is it?", "earlier": [asked.query]})
    await Search(store, embedder, cached=9, pool=9, reranker=reranker).answer(later)
    assert asked.query in reranker.asked


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(RerankerError, match=r"retrieval\.reranking\.export"):
        opened(str(tmp_path), model="", token=SecretStr(""), seconds=1)


@contextlib.asynccontextmanager
async def server(answer: Callable[[dict[str, object]], web.Response]) -> AsyncIterator[str]:
    async def rerank(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN.get_secret_value()}":
            return web.Response(status=401)
        return answer(await request.json())

    app = web.Application()
    app.router.add_post("/v1/rerank", rerank)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def results(*scored: tuple[int, float]) -> web.Response:
    return web.json_response({"results": [{"index": index, "relevance_score": score} for index, score in scored]})


async def test_a_server_is_asked_as_vllm_is_and_its_scores_are_put_in_order() -> None:
    asked: list[dict[str, object]] = []

    def answer(body: dict[str, object]) -> web.Response:
        asked.append(body)
        return results((2, 0.9), (0, 0.5), (1, 0.1))

    async with server(answer) as address:
        reranker = opened(f"{address}/", model="bge", token=TOKEN, seconds=30)
        assert await reranker.scores("When?", PASSAGES) == [0.5, 0.1, 0.9]
        await reranker.close()
    assert asked == [{"model": "bge", "query": "When?", "documents": PASSAGES, "top_n": 3}]


async def test_a_large_answer_is_read_whole() -> None:
    def answer(body: dict[str, object]) -> web.Response:
        listed = [{"index": index, "relevance_score": index, "document": "x" * 300_000} for index in range(3)]
        return web.json_response({"results": listed})

    async with server(answer) as address:
        reranker = opened(address, model="bge", token=TOKEN, seconds=30)
        assert await reranker.scores("When?", PASSAGES) == [0, 1, 2]
        await reranker.close()


@pytest.mark.parametrize("where", ["localhost:8000", "models/reranker", "ftp://host"])
def test_what_is_neither_an_address_nor_a_path_is_named(where: str) -> None:
    with pytest.raises(RerankerError, match="neither an http address nor the absolute path"):
        opened(where, model="", token=SecretStr(""), seconds=1)


@pytest.mark.parametrize(
    "response",
    [
        lambda: web.Response(status=500, text="out of memory"),
        lambda: web.Response(text="no JSON"),
        lambda: results((0, 0.5)),
        lambda: results((0, 0.5), (1, 0.1), (7, 0.2)),
        lambda: results((0, 0.5), (1, 0.1), (1, 0.2), (2, 0.2)),
        lambda: results((0, 0.5), (1, math.nan), (2, 0.2)),
        lambda: web.Response(text='{"results": [' + '{"index": 0, "relevance_score": 1e999},' * 3 + "]}"),
        lambda: web.Response(text=" " * (MOST_BYTES + 1)),
        lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    ],
)
async def test_a_wrong_answer_is_said(response: Callable[[], web.Response]) -> None:
    async with server(lambda _body: response()) as address:
        reranker = opened(address, model="bge", token=TOKEN, seconds=30)
        with pytest.raises(RerankerError, match="hits keep their order"):
            await reranker.scores("When?", PASSAGES)
        await reranker.close()


async def test_a_wrong_token_and_a_server_that_is_away_are_said() -> None:
    async with server(lambda _body: results()) as address:
        stranger = opened(address, model="bge", token=SecretStr("wrong"), seconds=30)
        with pytest.raises(RerankerError, match="status 401"):
            await stranger.scores("When?", PASSAGES)
    with pytest.raises(RerankerError, match=address):
        await stranger.scores("When?", PASSAGES)
    await stranger.close()
