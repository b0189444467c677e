"""`POST /v1/search` and what stands beside it, over HTTP."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from pydantic import SecretStr

from contract.search import SearchRequest, SearchResponse, Seconds
from operators.local.layout import free_port
from retrieval.app import create_app
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.metrics import OTHER, Metrics
from retrieval.scope import Scope
from retrieval.search import Search
from retrieval.settings import Settings
from retrieval.store import Store
from tests.retrieval.chunks import stored
from tests.retrieval.conftest import HEADERS, TOKEN, Serve
from tests.retrieval.embedders import DIMENSIONS, with_recipe

TEXTS = (
    "The Velmora Basic plan has a refund window of 30 days.",
    "The support desk answers within two working days.",
    "환불 기간은 물건을 받은 날부터 30일입니다.",
)


def settings(milvus: str, model: Path) -> Settings:
    return Settings(token=SecretStr(TOKEN), milvus_uri=milvus, embedder=str(model), milvus_timeout_seconds=20)


@pytest.fixture
async def api(milvus: str, model: Path, serve: Serve) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serve(lambda: create_app(settings(milvus, model))) as url,
        aiohttp.ClientSession(url, headers=HEADERS) as session,
    ):
        yield session


@pytest.fixture
def filled(store: Store, embedder: SentenceEncoder, tenant: str) -> str:
    """A tenant with knowledge bases `docs` and `empty`."""
    stored(store, embedder, Scope(tenant, ("docs",)), TEXTS)
    store.create(Scope(tenant, ("empty",)))
    return tenant


async def search(api: aiohttp.ClientSession, tenant: str, query: str, **changed: object) -> tuple[int, dict[str, Any]]:
    return await post(api, {"tenant": tenant, "knowledge_bases": ["docs"], "query": query} | changed)


async def post(api: aiohttp.ClientSession, body: dict[str, object]) -> tuple[int, dict[str, Any]]:
    async with api.post("/v1/search", json=body) as answer:
        return answer.status, await answer.json()


async def test_a_question_gets_evidence_with_the_scores_of_both_legs(api: aiohttp.ClientSession, filled: str) -> None:
    status, answer = await search(api, filled, "What is the refund window of the Velmora Basic plan?")
    assert (status, answer["outcome"]) == (200, "evidence")
    best = answer["evidence"][0]
    assert (best["text"], best["document"], best["knowledge_base"]) == (TEXTS[0], "0.txt", "docs")
    assert 0.6 < best["dense_score"] <= 1
    assert best["lexical_score"] > 0
    assert set(answer["seconds"]) == {"embed", "search", "rank"}


@pytest.mark.parametrize(("match", "found"), [("any", True), ("words", True), ("phrase", False)])
async def test_a_match_is_asked_for_by_its_name(
    api: aiohttp.ClientSession, filled: str, match: str, found: bool
) -> None:
    status, answer = await search(api, filled, "refund window Velmora", match=match)
    assert (status, bool(answer["evidence"])) == (200, found)


async def test_the_embedding_is_the_vector_of_the_query(
    api: aiohttp.ClientSession, filled: str, embedder: SentenceEncoder
) -> None:
    _, answer = await search(api, filled, "refund window")
    vector = np.frombuffer(base64.b64decode(answer["embedding"]), "<f4")
    assert vector.shape == (DIMENSIONS,)
    assert np.allclose(vector, embedder.embed(["refund window"])[0], atol=1e-6)


async def test_a_korean_question_is_answered_by_the_lexical_leg_alone(api: aiohttp.ClientSession, filled: str) -> None:
    _, answer = await search(api, filled, "물건의 환불은 며칠까지 되나요?")
    assert [hit["text"] for hit in answer["evidence"]] == [TEXTS[2]]
    assert answer["evidence"][0]["dense_score"] is None


@pytest.mark.parametrize(
    ("query", "changed", "outcome"),
    [
        ("What is the audio penalty of the Huxtrea Pro router?", {}, "below_gate"),
        ("refund", {"knowledge_bases": ["empty"]}, "no_hits"),
        ("refund", {"knowledge_bases": []}, "scope_empty"),
        ("?!", {"knowledge_bases": ["empty"]}, "no_hits"),
    ],
)
async def test_without_evidence_the_outcome_says_why(
    api: aiohttp.ClientSession, filled: str, query: str, changed: dict[str, object], outcome: str
) -> None:
    status, answer = await search(api, filled, query, **changed)
    assert (status, answer["outcome"], answer["evidence"]) == (200, outcome, [])
    assert answer["embedding"]


async def test_top_k_limits_the_evidence(api: aiohttp.ClientSession, filled: str) -> None:
    _, answer = await search(api, filled, "refund window and support desk", top_k=1)
    assert len(answer["evidence"]) == 1


async def test_a_follow_up_is_searched_for_with_the_questions_before_it(
    api: aiohttp.ClientSession, filled: str
) -> None:
    _, alone = await search(api, filled, "And how long is it?")
    assert alone["outcome"] == "below_gate"
    _, after = await search(api, filled, "And how long is it?", earlier=["Is there a refund window of Velmora Basic?"])
    assert after["evidence"][0]["text"] == TEXTS[0]
    assert after["embedding"] == alone["embedding"]


async def test_the_least_relevance_decides_and_every_hit_is_explained(api: aiohttp.ClientSession, filled: str) -> None:
    question = "What is the refund window of the Velmora Basic plan?"
    _, strict = await search(api, filled, question, min_relevance=1, explain=True)
    assert (strict["outcome"], strict["evidence"]) == ("below_gate", [])
    assert strict["considered"][0]["text"] == TEXTS[0]
    scores = [hit["score"] for hit in strict["considered"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    _, loose = await search(api, filled, "Qwzx window", min_relevance=0)
    assert (loose["outcome"], loose["considered"]) == ("evidence", [])


async def test_an_unknown_knowledge_base_is_named_and_nothing_is_told_of_other_tenants(
    api: aiohttp.ClientSession, store: Store, filled: str
) -> None:
    await asyncio.to_thread(store.create, Scope(f"{filled}-b", ("secret",)))
    theirs = await search(api, filled, "refund", knowledge_bases=["docs", "secret"])
    nobodys = await search(api, filled, "refund", knowledge_bases=["docs", "nobody"])
    stranger = await search(api, f"{filled}-c", "refund", knowledge_bases=["secret"])
    assert theirs[0] == nobodys[0] == stranger[0] == 404
    assert theirs[1] == stranger[1]
    assert str(nobodys[1]).replace("nobody", "secret") == str(theirs[1])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": "x" * 8_193}, "query"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 51}, "top_k"),
        ({"top_k": "4"}, "top_k"),
        ({"knowledge_bases": [""]}, "knowledge_bases.0"),
        ({"knowledge_bases": ["é" * 40]}, "knowledge_bases.0"),
        ({"knowledge_bases": "docs"}, "knowledge_bases"),
        ({"tenant": "a\u0000b"}, "tenant"),
        ({"filter": "1 == 1"}, "filter"),
    ],
)
async def test_a_bad_body_is_refused_and_the_field_named(
    api: aiohttp.ClientSession, filled: str, changed: dict[str, object], field: str
) -> None:
    body = {"tenant": filled, "knowledge_bases": ["docs"], "query": "refund"} | changed
    status, answer = await post(api, body)
    assert (status, answer["error"]["code"]) == (422, "invalid_request")
    assert field in answer["error"]["message"]


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", f"Bearer  {TOKEN}", TOKEN, "é"])
async def test_another_token_is_refused(api: aiohttp.ClientSession, filled: str, value: str) -> None:
    async with api.post("/v1/search", json={}, headers={"Authorization": value}) as answer:
        assert answer.status == 401


async def test_health_needs_no_token_and_metrics_count(api: aiohttp.ClientSession, filled: str) -> None:
    await search(api, filled, "refund")
    for path in ("/healthz", "/readyz", "/metrics"):
        async with api.get(path, headers={"Authorization": ""}) as answer:
            assert answer.status == 200
            text = await answer.text()
    assert 'quiver_retrieval_search_seconds_count{stage="embed"} 1.0' in text


async def test_without_a_store_it_lives_but_is_not_ready_and_says_so(model: Path, serve: Serve) -> None:
    gone = settings(f"http://127.0.0.1:{free_port()}", model)
    gone = gone.model_copy(update={"milvus_timeout_seconds": 1.0})
    async with serve(lambda: create_app(gone)) as url, aiohttp.ClientSession(url, headers=HEADERS) as session:
        async with session.get("/healthz") as alive, session.get("/readyz") as ready:
            assert (alive.status, ready.status) == (200, 503)
            assert gone.milvus_uri in await ready.text()
        status, answer = await search(session, "acme", "refund")
        assert (status, answer["error"]["code"]) == (503, "store_unavailable")


def test_series_are_for_tenants_of_the_store_up_to_a_cap_and_leave_with_them() -> None:
    metrics = Metrics(tenants=2)
    found = SearchResponse(outcome="evidence", evidence=[], embedding="", seconds=Seconds(embed=0, search=0, rank=0))  # type: ignore[arg-type]

    def counted(tenant: str) -> float | None:
        return metrics.registry.get_sample_value(
            "quiver_retrieval_searches_total", {"tenant": tenant, "outcome": "evidence"}
        )

    metrics.admit(frozenset({"a", "b", "c"}))
    for tenant in ("a", "b", "c", "made-up"):
        metrics.searched(tenant, found)
    assert [counted(tenant) for tenant in ("a", "b", OTHER)] == [1, 1, 2]
    assert counted("c") is None
    metrics.admit(frozenset({"b", "c"}))
    assert [counted(tenant) for tenant in ("a", "b", "c")] == [None, 1, 0]


async def test_texts_are_embedded_as_the_embedder_does(api: aiohttp.ClientSession, embedder: SentenceEncoder) -> None:
    texts = ["refund window", "opening hours"]
    async with api.post("/v1/embed", json={"texts": texts}) as response:
        found = await response.json()
    vectors = [np.frombuffer(base64.b64decode(item), "<f4") for item in found["embeddings"]]
    assert np.allclose(vectors, embedder.embed(texts), atol=1e-5)
    assert found["tokens"] == sum(map(embedder.tokens, texts))


@pytest.mark.parametrize("texts", [[], [""], ["x"] * 129, "x", [5]])
async def test_no_texts_are_refused(api: aiohttp.ClientSession, texts: object) -> None:
    async with api.post("/v1/embed", json={"texts": texts}) as response:
        assert response.status == 422


async def test_passages_of_another_embedder_are_found_by_their_words_and_counted(
    store: Store, embedder: SentenceEncoder, model: Path, tenant: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(stored, store, embedder, Scope(tenant, ("docs",)), TEXTS)
    other = await asyncio.to_thread(with_recipe, model, tmp_path / "other", query_prefix="query: ")
    request = SearchRequest(
        tenant=tenant, knowledge_bases=["docs"], query="What is the refund window of Velmora Basic?"
    )
    same, mixed = [await Search(store, each, cached=9, pool=9).answer(request) for each in (embedder, other)]
    assert (same.outcome, same.other_embedder_hits) == ("evidence", 0)
    assert (mixed.outcome, mixed.evidence[0].text) == ("evidence", TEXTS[0])
    assert mixed.other_embedder_hits > 0
