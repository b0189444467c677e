"""JSON in, JSON out: what the routes of both processes share."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from retrieval.errors import InvalidRequestError, RetrievalError

MAX_BODY_BYTES = 4_000_000

Model = TypeVar("Model", bound=BaseModel)


async def read(request: Request, model: type[Model]) -> Model:
    """The body as `model`; `InvalidRequestError` says which field is wrong."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise InvalidRequestError(f"The body is larger than {MAX_BODY_BYTES} bytes: send less.")
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"])) or "The body"
        raise InvalidRequestError(f"{field}: {first['msg']}: correct the request.") from error


def answer(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, media_type="application/json")


async def on_error(_request: Request, error: Exception) -> Response:
    """Our errors as `{"error": {"code", "message"}}`."""
    if not isinstance(error, RetrievalError):
        raise error
    return JSONResponse({"error": {"code": error.code, "message": str(error)}}, error.status)
