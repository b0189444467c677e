"""Refuses bodies over a service's size limit. Pure ASGI; FastAPI's own limit answers in plain text."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    def __init__(self, app: ASGIApp, *, most_bytes: int, streamed: tuple[str, ...] = ()) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises HTTPException while the body is read; the framework turns it into an answer."""
        if self._streamed and scope["type"] == "http" and scope["path"].startswith(self._streamed):
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        left = self._most_bytes

        async def limited() -> Message:
            nonlocal left
            if declared.isdecimal() and int(declared) > self._most_bytes:
                raise self._too_large()
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise self._too_large()
            return message

        await self._app(scope, limited, send)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body is larger than {self._most_bytes:,} bytes; send less at once")
