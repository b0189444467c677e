"""What the gateway makes of a search."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from contract.search import Outcome, SearchRequest, SearchResponse, Seconds
from serving.gateway.retrieval_client import RetrievalError, connect
from tests.serving.gateway.passages import evidence

RESPONSE = SearchResponse(
    outcome=Outcome.EVIDENCE,
    evidence=[evidence(heading="Plans > Basic", text="Refund window: 30 days")],
    embedding="AAAA",
    seconds=Seconds(embed=0.1, search=0.1, rank=0.1),
)


@asynccontextmanager
async def sidecar(
    answer: Callable[[Any], web.Response], on_request: Callable[[web.Request], object] = lambda _: None
) -> AsyncIterator[str]:
    async def search(request: web.Request) -> web.Response:
        on_request(request)
        return answer(SearchRequest.model_validate_json(await request.read()))

    app = web.Application()
    app.router.add_post("/v1/search", search)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def searched(url: str) -> SearchResponse:
    async with connect(url, "token", 5) as retrieval:
        request = SearchRequest(tenant="acme", knowledge_bases=["handbook"], query="refund?", top_k=4)
        return await retrieval.search(request, request_id="r")


async def test_evidence_comes_with_the_heading_above_it() -> None:
    async with sidecar(lambda _: web.json_response(text=RESPONSE.model_dump_json())) as url:
        found = await searched(url)
    assert (found.outcome, found.embedding) == ("evidence", "AAAA")
    assert [(item.heading, item.text) for item in found.evidence] == [("Plans > Basic", "Refund window: 30 days")]


async def test_a_sidecar_that_fails_is_a_retrieval_error() -> None:
    async with sidecar(lambda _: web.Response(status=500)) as url:
        with pytest.raises(RetrievalError, match="status 500"):
            await searched(url)
    with pytest.raises(RetrievalError):
        await searched(url)
