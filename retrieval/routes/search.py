"""`POST /v1/search`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retrieval.errors import RetrievalError
from retrieval.metrics import Metrics
from retrieval.routes.bodies import answer, read
from retrieval.schemas import SearchRequest
from retrieval.search import Search


def routes(search: Search, metrics: Metrics) -> list[Route]:
    async def post(request: Request) -> Response:
        try:
            body = await read(request, SearchRequest)
            found = await search.answer(body)
        except RetrievalError as error:
            metrics.failed(error.code)
            raise
        metrics.searched(body.tenant, found)
        return answer(found)

    return [Route("/v1/search", post, methods=["POST"])]
