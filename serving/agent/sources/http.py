"""The only HTTP client of the sources: bounded, and limited to addresses allowed by the policy."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from service.public_addresses import AddressGuard, is_private_literal
from serving.agent.errors import AgentError, RefusedError, UnavailableError
from serving.agent.sources.policy import Policy
from serving.agent.sources.request import Request, fault

MAX_REDIRECTS = 5
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
_MAX_ERROR_BYTES = 4096
_REDIRECTS = (301, 302, 303, 307, 308)
# Bytes. A broken connection loses up to twice as many: they were received, but not read yet.
_READ_BUFFER = 128 * 1024
# The headers of a request that may be sent to another origin after a redirect.
_SHAREABLE = frozenset({"accept", "accept-encoding", "range", "if-range", "if-none-match"})


def trust(policy: Policy) -> ssl.SSLContext:
    """Blocks: reads files of certificates. Raises OSError if `ca_file` cannot be read."""
    context = ssl.create_default_context()
    if policy.ca_file is not None:
        context.load_verify_locations(policy.ca_file)
    return context


class Client:
    """One fetch's connections. `name` is the source as messages show it."""

    def __init__(self, policy: Policy, tls: ssl.SSLContext, name: str) -> None:
        self._policy = policy
        self.name = name
        self._gate = AddressGuard(allow_private=policy.allow_private or policy.proxy is not None)
        self._session = self._connections(tls, self._gate)
        self._inside = self._connections(tls, AddressGuard(allow_private=True))

    def _connections(self, tls: ssl.SSLContext, gate: AddressGuard) -> aiohttp.ClientSession:
        """No connection is reused: surplus bytes of one answer must not be taken for the next answer."""
        stall_s = self._policy.stall_s
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, force_close=True, socket_factory=gate.socket),
            timeout=aiohttp.ClientTimeout(total=None, connect=stall_s, sock_read=stall_s),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_BUFFER,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._inside.close()

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer after all redirects, whatever its status, with its body unread.

        Raises RefusedError and UnavailableError, also for errors while the caller reads the body.
        """
        try:
            response = await self._follow(request)
            try:
                yield response
            finally:
                response.close()
        except aiohttp.ClientError as error:
            raise self._connection_fault(error) from error

    async def document(self, request: Request) -> tuple[Mapping[str, str], bytes]:
        """The headers and the body of a small, successful answer. Raises RefusedError if it is too large."""
        async with self.open(request) as response:
            await self.check(request, response)
            return response.headers, await self._body(response)

    async def check(self, request: Request, response: aiohttp.ClientResponse) -> None:
        """Raises the error for the answer's status, unless it is a success."""
        if 200 <= response.status < 300:
            return
        try:
            raw = await response.content.read(_MAX_ERROR_BYTES)
        except aiohttp.ClientError:
            raw = b""  # the status says enough
        text = raw.decode("utf-8", "replace")
        error = fault(self.name, request.access, response.status, response.headers, text)
        if error:
            raise error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for block in response.content.iter_any():
            body += block
            if len(body) > MAX_DOCUMENT_BYTES:
                raise RefusedError(
                    "AnswerTooLarge", f"{self.name}: the server's answer is larger than {MAX_DOCUMENT_BYTES} bytes"
                )
        return bytes(body)

    async def _follow(self, request: Request) -> aiohttp.ClientResponse:
        url, headers = request.url, {"Accept-Encoding": "identity", **request.headers}
        self._check_url(url)
        for _ in range(MAX_REDIRECTS + 1):
            inside = self._policy.is_inside(url.host, url.port)
            response = await (self._inside if inside else self._session).request(
                "GET" if request.body is None else "POST",
                url,
                headers=headers,
                data=request.body,
                allow_redirects=False,
                proxy=None if inside else self._policy.proxy,
            )
            if response.status not in _REDIRECTS or "Location" not in response.headers or request.body is not None:
                return response
            target = self._target(url, response)
            if target.origin() != url.origin():
                headers = {key: value for key, value in headers.items() if key.lower() in _SHAREABLE}
            url = target
        raise RefusedError(
            "TooManyRedirects", f"{self.name} redirects more than {MAX_REDIRECTS} times; use the final URL"
        )

    def _target(self, url: URL, response: aiohttp.ClientResponse) -> URL:
        """The target of a redirect, unchanged: it may be a signed URL."""
        response.close()
        try:
            target = url.join(URL(response.headers["Location"], encoded=True)).with_fragment(None)
        except ValueError as error:
            raise self._invalid() from error
        self._check_url(target)
        return target

    def _check_url(self, url: URL) -> None:
        if url.scheme != "https" and not (url.scheme == "http" and self._policy.is_inside(url.host, url.port)):
            raise RefusedError(
                "NotEncrypted", f"{self.name} leads to a {url.scheme[:10]} address; serve the artifact over https"
            )
        try:
            usable = bool(url.host and url.port) and url.user is None
        except ValueError:
            usable = False
        if not usable:
            raise self._invalid()
        if self._policy.proxy and not self._policy.is_inside(url.host, url.port) and is_private_literal(url.host or ""):
            raise self._address_refused(url.host or "")

    def _invalid(self) -> RefusedError:
        return RefusedError(
            "UrlInvalid",
            f"{self.name} leads to something that is not the URL of a host; correct spec.source or its credentials",
        )

    def _connection_fault(self, error: aiohttp.ClientError) -> AgentError:
        """Only the error's type is reported: its text may contain a signed URL."""
        if isinstance(error, aiohttp.InvalidURL):
            return self._invalid()
        if self._gate.refused:
            return self._address_refused(self._gate.refused)
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            message = "has a certificate that no trusted authority signed; add its authority"
        elif isinstance(error, TimeoutError):
            message = f"sent nothing for {self._policy.stall_s:g} s"
        elif isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError):
            message = "closed the connection too early"
        else:
            message = f"could not be reached or understood ({type(error).__name__})"
        return UnavailableError("ConnectionFailed", f"{self.name}: the server {message}; it is tried again")

    def _address_refused(self, address: str) -> RefusedError:
        return RefusedError(
            "AddressRefused",
            f"{self.name} leads to {address}, which is not a public address; "
            "serve the artifact at one, or have the platform name the host in agent.privateHosts",
        )
