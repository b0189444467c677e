"""`POST /v1/search`: passages of one tenant's documents."""

from fastapi import APIRouter

from contract.search import SearchRequest, SearchResponse
from retrieval.errors import RetrievalError
from retrieval.metrics import Metrics
from retrieval.search import Search
from service.application import refusals, router


def routes(search: Search, metrics: Metrics) -> APIRouter:
    searching = router()

    @searching.post("/v1/search", responses=refusals(404, 500))
    async def find(request: SearchRequest) -> SearchResponse:
        """The passages for a question, or the reason there are none."""
        try:
            response = await search.answer(request)
        except RetrievalError as error:
            metrics.failed(error.code)
            raise
        metrics.searched(request.tenant, response)
        return response

    return searching
