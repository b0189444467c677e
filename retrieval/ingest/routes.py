"""`PUT` and `GET /v1/knowledge-bases`."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retrieval.errors import InvalidRequestError
from retrieval.ingest.revision import Revision
from retrieval.ingest.schemas import Accepted, Desired, Status
from retrieval.ingest.worker import Worker
from retrieval.routes.bodies import answer, read

MAX_WAIT_SECONDS = 60.0


def routes(worker: Worker, revision: Revision, wanted_changed: asyncio.Event) -> list[Route]:
    async def put(request: Request) -> Response:
        desired = await read(request, Desired)
        await asyncio.to_thread(worker.want, desired.knowledge_bases)
        wanted_changed.set()
        return answer(Accepted(revision=revision.value), 202)

    async def get(request: Request) -> Response:
        seen, wait = _number(request, "seen", -1), _number(request, "wait", 0)
        reached = await revision.differs(int(seen), min(wait, MAX_WAIT_SECONDS))
        listed = await asyncio.to_thread(worker.status)
        return answer(Status(revision=reached, message=worker.trouble, knowledge_bases=listed))

    path = "/v1/knowledge-bases"
    return [Route(path, put, methods=["PUT"]), Route(path, get, methods=["GET"])]


def _number(request: Request, name: str, default: float) -> float:
    try:
        return float(request.query_params.get(name, default))
    except ValueError as error:
        raise InvalidRequestError(f"The parameter {name} is not a number: correct the request.") from error
