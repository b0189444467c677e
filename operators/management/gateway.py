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
_SENT = ("accept", "openai-beta", "x-request-id")
_SENT_WITH_BODY = ("content-type", "content-length")
_SHOWN = ("content-type", "content-disposition", "x-content-type-options", "openai-poll-after-ms", "retry-after",
          "x-should-retry", "x-request-id")  # fmt: skip
_LIMITS = "x-ratelimit-"
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})
# A body for reading alone.
_READING = re.compile(r"/v1/(vector_stores/[^/]+/search|chat/completions)")


def is_change(method: str, path: str) -> bool:
    return method not in ("GET", "HEAD") and not _READING.fullmatch(path)


def required(method: str, path: str, identity: Identity) -> None:
    """Whoever may ask may read the passages of documents, too: answers quote them. Files as they were uploaded, and
    deletions, are for those who may change them. Raises ForbiddenError."""
    _ = identity.own_tenant
    if is_change(method, path) or path.startswith(("/v1/files", "/v1/deletions")):
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
            return Response(await _whole(answer), answer.status, headers)
        return StreamingResponse(_pieces(answer), answer.status, headers)

    async def document_usage(self, identity: Identity) -> Mapping[str, int]:
        """The tenant's uploaded files and their bytes. Raises UnavailableError."""
        try:
            async with self._session.get(
                f"{self._url}/v1/files/usage", headers=self._authorization(identity)
            ) as answer:
                if answer.status == 404:  # a platform without documents
                    return {}
                answer.raise_for_status()
                usage: Mapping[str, int] = await answer.json()
                return usage
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise UnavailableError("The gateway does not answer: try again in a moment.") from error

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
        """A length without its body would make the next request a part of this one."""
        names = _SENT if request.method in _WITHOUT_BODY else (*_SENT, *_SENT_WITH_BODY)
        passed = {name: value for name in names if (value := request.headers.get(name))}
        return passed | self._authorization(identity)

    def _authorization(self, identity: Identity) -> dict[str, str]:
        """`required` decides what may be done; passages may be read with any scope."""
        tenant, scopes = identity.own_tenant, identity.scopes | DOCUMENTS
        token = self._delegations.sign(Delegation(tenant, scopes, identity.actor, identity.models))
        return {"authorization": f"Bearer {token}"}


def _is_shown(name: str) -> bool:
    return name.lower() in _SHOWN or name.lower().startswith(_LIMITS)


def _body(request: Request) -> AsyncIterator[bytes] | None:
    return None if request.method in _WITHOUT_BODY else request.stream()


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """Raises UnavailableError for a broken or an oversized answer."""
    pieces, size = [], 0
    try:
        async with answer:
            async for piece in answer.content.iter_any():
                size += len(piece)
                pieces.append(piece)
                if size > _MOST_BYTES:
                    raise UnavailableError(
                        "The gateway's answer is too large. The change may have been made: look again."
                    )
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UnavailableError("The gateway broke off. The change may have been made: look again.") from error
    return b"".join(pieces)


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        async for piece in answer.content.iter_any():
            yield piece


@asynccontextmanager
async def connect(url: str, delegations: Delegations) -> AsyncIterator[Gateway]:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Gateway(session, url, delegations)
