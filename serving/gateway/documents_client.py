"""The gateway's only HTTP client of the ingest worker, which keeps files and vector stores."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from serving.gateway.errors import (
    ApiError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    TooLarge,
    unavailable,
)
from serving.gateway.raw_request import CallerGone

# Of an answer; others are between gateway and worker.
_HEADERS = ("content-type", "content-length", "content-disposition", "x-content-type-options", "openai-poll-after-ms")
_CONNECT_S = 2.0

Body = bytes | AsyncIterator[bytes] | None


class DocumentsClient:
    def __init__(self, session: aiohttp.ClientSession, url: str, read_timeout_s: float) -> None:
        self._session, self._url = session, url
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=read_timeout_s)

    @asynccontextmanager
    async def request(
        self, method: str, tenant: str, path: str, query: str, body: Body, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The worker's answer to a tenant's request for a path below /v1. A body that is a stream is sent once the
        worker asks for it, so what it refuses by its size is not sent. Raises ApiError for a refusal."""
        where = f"{self._url}/v1/tenants/{quote(tenant, safe='')}{path.removeprefix('/v1')}"
        url = URL(f"{where}?{query}" if query else where, encoded=True)
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=self._timeout,
                expect100=isinstance(body, AsyncIterator),
            ) as answer:
                if answer.status >= 400:
                    raise _refusal(answer.status, await answer.read())
                yield answer
        except (aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error.__cause__, ApiError | CallerGone):  # from the body's own iterator
                raise error.__cause__ from error
            raise unavailable("Documents cannot be reached at the moment", "documents_unavailable") from error


def shown_headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """What of a worker's headers the caller gets."""
    return {name: answer.headers[name] for name in _HEADERS if name in answer.headers}


def _refusal(status: int, body: bytes) -> ApiError:
    """The worker's refusal in OpenAI's format. What is wrong between gateway and worker is no fault of the caller."""
    message, code = _error(body)
    match status:
        case 400 | 422:
            return InvalidRequest(message, code=code)
        case 403:
            return Forbidden(message, code=code, headers={"x-should-retry": "false"})
        case 404:
            return NotFound(message, code=code)
        case 409:
            return Conflict(message, code=code)
        case 413:
            return TooLarge(message, code=code)
    return unavailable("Documents cannot be reached at the moment", code)


def _error(body: bytes) -> tuple[str, str]:
    try:
        error = orjson.loads(body)["error"]
        return str(error["message"]), str(error["code"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "The request was refused.", "refused"


@asynccontextmanager
async def connect(url: str, token: str, read_timeout_s: float) -> AsyncIterator[DocumentsClient]:
    """An answer is not decompressed: it is passed on."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        yield DocumentsClient(session, url, read_timeout_s)
