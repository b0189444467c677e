"""Files, vector stores, deletions, models and answers: the gateway's routes, for signed-in people."""

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from operators.management.actions import action, subject
from operators.management.gateway import PREFIXES, is_change, required
from operators.management.service import Caller, Calls
from service.errors import UnavailableError

METHODS = ["GET", "POST", "DELETE"]


def forwarded_routes() -> APIRouter:
    routes = APIRouter(route_class=APIRoute)
    for prefix in PREFIXES:
        for path in (prefix, prefix + "/{rest:path}"):
            routes.add_api_route(path, _pass_on, methods=METHODS, include_in_schema=False)
    return routes


async def _pass_on(request: Request, calling: Calls) -> Response:
    """Changes are recorded, refused ones too."""
    method, path = request.method, request.url.path
    if not is_change(method, path):
        return await _answer(request, calling)
    async with calling.change(action(method, path), path) as ending:
        answer = await _answer(request, calling)
        ending.outcome, ending.subject = answer.status_code, subject(path, bytes(answer.body))
    return answer


async def _answer(request: Request, calling: Caller) -> Response:
    required(request.method, request.url.path, calling.identity)
    if calling.management.gateway is None:
        raise UnavailableError("This management API has no gateway: set QUIVER_MANAGEMENT_GATEWAY_URL.")
    return await calling.management.gateway.pass_on(request, calling.identity)
