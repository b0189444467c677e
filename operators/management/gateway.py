"""Passes a person's requests for documents, answers and models on to the gateway, as the person's tenant."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from yarl import URL

from contract.api_key import Scope
from operators.management.identity import Identity
from service.delegation import Delegation, Delegations
from service.errors import UnavailableError

PREFIXES = ("/v1/files", "/v1/vector_stores", "/v1/deletions", "/v1/chat/completions", "/v1/models")
DOCUMENTS: frozenset[Scope] = frozenset({"documents"})
_CONNECT_S, _SILENCE_S = 2.0, 600.0
_MOST_BYTES = 4 * 1024 * 1024  # of an answer to a change
_SENT = ("content-type", "content-length", "accept", "openai-beta", "x-request-id")
_SHOWN = ("content-type", "content-disposition", "x-content-type-options", "openai-poll-after-ms", "retry-after",
          "x-should-retry", "x-request-id")  # fmt: skip
_LIMITS = "x-ratelimit-"
# A body that is read, not changed.
_READING = re.compile(r"/v1/(vector_stores/[^/]+/search|chat/completions)")


def is_change(method: str, path: str) -> bool:
    return method not in ("GET", "HEAD") and not _READING.fullmatch(path)


def required(method: str, path: str, identity: Identity) -> None:
    """Whoever may ask may read the documents, too: answers quote them. Raises ForbiddenError."""
    _ = identity.own_tenant
    if is_change(method, path):
        identity.require("documents")
    elif path.startswith("/v1/chat"):
        identity.require("inference")


class Gateway:
    def __init__(self, session: aiohttp.ClientSession, url: str, delegations: Delegations) -> None:
        self._session, self._url, self._delegations = session, url.rstrip("/"), delegations

    async def pass_on(self, request: Request, identity: Identity) -> Response:
        """The gateway's answer; an answer to a change is read whole. Raises UnavailableError."""
        url = URL(f"{self._url}{request.url.path}{'?' + request.url.query if request.url.query else ''}", encoded=True)
        try:
            answer = await self._session.request(
                request.method,
                url,
                data=_body(request),
                headers=self._headers(request, identity),
                allow_redirects=False,
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error.__cause__, ClientDisconnect):
                raise error.__cause__ from error
            raise UnavailableError("The gateway does not answer: try again in a moment.") from error
        headers = {name: value for name, value in answer.headers.items() if _is_shown(name)}
        if is_change(request.method, request.url.path):
            async with answer:
                return Response(await answer.content.read(_MOST_BYTES), answer.status, headers)
        return StreamingResponse(_pieces(answer), answer.status, headers)

    async def limits(self, identity: Identity) -> Mapping[str, str]:
        """The rate-limit headers of the tenant at this moment. Raises UnavailableError."""
        try:
            async with self._session.get(f"{self._url}/v1/models", headers=self._authorization(identity)) as answer:
                return {
                    name.lower(): value for name, value in answer.headers.items() if name.lower().startswith(_LIMITS)
                }
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError("The gateway does not answer: try again in a moment.") from error

    def _headers(self, request: Request, identity: Identity) -> dict[str, str]:
        passed = {name: value for name in _SENT if (value := request.headers.get(name))}
        return passed | self._authorization(identity)

    def _authorization(self, identity: Identity) -> dict[str, str]:
        """Documents may be read with any scope; what may be changed is checked here before."""
        tenant, scopes = identity.own_tenant, identity.scopes | DOCUMENTS
        token = self._delegations.sign(Delegation(tenant, scopes, identity.actor, identity.models))
        return {"authorization": f"Bearer {token}"}


def _is_shown(name: str) -> bool:
    return name.lower() in _SHOWN or name.lower().startswith(_LIMITS)


def _body(request: Request) -> AsyncIterator[bytes] | None:
    return None if request.method in ("GET", "HEAD", "DELETE") else request.stream()


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        async for piece in answer.content.iter_any():
            yield piece


@asynccontextmanager
async def connect(url: str, delegations: Delegations) -> AsyncIterator[Gateway]:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Gateway(session, url, delegations)
