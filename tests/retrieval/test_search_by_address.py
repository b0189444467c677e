"""Searches by an embedder behind an address, which fails and comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from retrieval.app import create_app
from retrieval.embedding.remote import Remote
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.scope import Scope
from retrieval.settings import Settings
from retrieval.store import Store
from tests.retrieval.chunks import stored
from tests.retrieval.conftest import HEADERS, TOKEN, Serve
from tests.retrieval.embedders import WIDER, widened
from tests.retrieval.embedding_server import EmbeddingServer, running
from tests.retrieval.test_remote_embedder import SERVER
from tests.retrieval.test_search_api import TEXTS, search


@pytest.fixture(scope="module")
def wider(model: Path, tmp_path_factory: pytest.TempPathFactory) -> SentenceEncoder:
    return SentenceEncoder(widened(model, tmp_path_factory.mktemp("models") / "wider"))


@pytest.fixture
def served(wider: SentenceEncoder) -> EmbeddingServer:
    return EmbeddingServer(wider)


@pytest.fixture
def address(served: EmbeddingServer) -> Iterator[str]:
    with running(served) as url:
        yield url


@pytest.fixture
async def api(milvus: str, address: str, serve: Serve) -> AsyncIterator[aiohttp.ClientSession]:
    settings = Settings(
        token=SecretStr(TOKEN), milvus_uri=milvus, milvus_timeout_seconds=20, embedder=address,
        embedder_model=SERVER.model, embedder_token=SERVER.token, embedder_seconds=20, embedder_max_tokens=256,
    )  # fmt: skip
    async with (
        serve(lambda: create_app(settings)) as url,
        aiohttp.ClientSession(url, headers=HEADERS) as session,
    ):
        yield session


@pytest.fixture
def filled(milvus: str, address: str, tenant: str) -> str:
    store = Store(milvus, dimension=WIDER, timeout=20)
    stored(
        store,
        Remote(address, SERVER),
        Scope(tenant, ("docs",)),
        [*TEXTS, "제품 Velmora KX-200의 보증 기간은 2년입니다."],
    )
    store.close()
    return tenant


@pytest.mark.parametrize(
    ("question", "outcome"),
    [
        ("How many days can I send Velmora Basic back?", "evidence"),
        ("How tall is the Eiffel Tower?", "below_gate"),
        ("Which animals live in the desert?", "below_gate"),
        ("환불 기간은 며칠인가요?", "evidence"),
        ("Velmora KX-200", "evidence"),
    ],
)
async def test_the_gate_holds_for_other_cosines(
    api: aiohttp.ClientSession, filled: str, question: str, outcome: str
) -> None:
    """Raw, the cosines of these vectors are 0.7 and more for any two texts."""
    status, answer = await search(api, filled, question)
    assert (status, answer["outcome"]) == (200, outcome)


async def test_without_the_embedder_words_find_what_they_can(
    api: aiohttp.ClientSession, served: EmbeddingServer, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.search.PAUSE_S", 3.0)
    served.status = 503
    status, answer = await search(api, filled, "What is the refund window of the Velmora Basic plan?")
    assert (status, answer["outcome"], answer["embedded"]) == (200, "evidence", False)
    assert (answer["evidence"][0]["text"], answer["evidence"][0]["dense_score"]) == (TEXTS[0], None)
    async with api.get("/readyz") as ready:
        assert ready.status == 200
    async with api.get("/metrics") as metrics:
        assert "quiver_retrieval_unembedded_total 1.0" in await metrics.text()
    async with api.post("/v1/embed", json={"texts": ["one"]}) as refused:
        assert (refused.status, (await refused.json())["error"]["code"]) == (503, "embedder_unavailable")
    asked = len(served.asked)
    served.status = 200
    _, answer = await search(api, filled, "What is the refund window of another plan?")
    assert (answer["embedded"], len(served.asked)) == (False, asked)  # it is left alone for a while
    while not answer["embedded"]:
        await asyncio.sleep(0.1)
        _, answer = await search(api, filled, "What is the refund window of the Velmora Basic plan?")
    assert answer["evidence"][0]["dense_score"] > 0
