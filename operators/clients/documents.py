"""Speaks to a gateway's API of files and vector stores, as any caller does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

POLL_S = 0.25
_CONNECT_S = 5.0
_SILENCE_S = 120.0

Object = Mapping[str, Any]


class DocumentsError(Exception):
    """The gateway refused a request, or did not answer; the message says why."""


class DocumentsClient:
    """All methods raise DocumentsError."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def stores(self) -> list[Object]:
        return [store async for store in self._listed("/v1/vector_stores")]

    async def create_store(self, name: str) -> Object:
        return await self._answer("POST", "/v1/vector_stores", json={"name": name})

    async def delete_store(self, store: str) -> Object:
        return await self._answer("DELETE", f"/v1/vector_stores/{store}")

    async def files(self, store: str) -> list[Object]:
        return [file async for file in self._listed(f"/v1/vector_stores/{store}/files")]

    async def upload(self, path: Path) -> Object:
        """The bytes are read as they are sent."""
        form = aiohttp.FormData(quote_fields=False)  # a name in any script
        form.add_field("purpose", "assistants")
        with await asyncio.to_thread(path.open, "rb") as file:
            form.add_field("file", file, filename=path.name, content_type="application/octet-stream")
            return await self._answer("POST", "/v1/files", data=form)

    async def attach(self, store: str, file_id: str, attributes: Mapping[str, str]) -> Object:
        """Returns once the file can be searched, or has failed. Without attributes, those that it has stay."""
        body = {"file_id": file_id} | ({"attributes": attributes} if attributes else {})
        file = await self._answer("POST", f"/v1/vector_stores/{store}/files", json=body)
        while file["status"] == "in_progress":
            await asyncio.sleep(POLL_S)
            file = await self._answer("GET", f"/v1/vector_stores/{store}/files/{file_id}")
        return file

    async def drop(self, store: str, file_id: str) -> None:
        """Take a file out of a store, and delete it if it is in no other."""
        await self._answer("DELETE", f"/v1/vector_stores/{store}/files/{file_id}")
        if not (await self._answer("GET", f"/v1/files/{file_id}"))["vector_stores"]:
            await self.delete_file(file_id)

    async def delete_file(self, file_id: str) -> Object:
        return await self._answer("DELETE", f"/v1/files/{file_id}")

    async def search(self, store: str, question: str, most: int, match: str = "any") -> list[Object]:
        body = {"query": question, "max_num_results": most, "match": match}
        page = await self._answer("POST", f"/v1/vector_stores/{store}/search", json=body)
        return list(page["data"])

    async def deletions(self) -> list[Object]:
        return [deletion async for deletion in self._listed("/v1/deletions")]

    async def web(self, store: str) -> list[Object]:
        return list((await self._answer("GET", f"/v1/vector_stores/{store}/web_sources"))["data"])

    async def add_web(self, store: str, body: Object, progress: Callable[[int], None]) -> Object:
        """Returns after the first look; `progress` is called with the pages read so far, once a second."""
        path = f"/v1/vector_stores/{store}/web_sources"
        source = await self._answer("POST", path, json=body)
        while source["looked_at"] is None:
            await asyncio.sleep(1)
            source = await self._answer("GET", f"{path}/{source['id']}")
            progress(int(source["pages"]))
        return source

    async def remove_web(self, store: str, source: str) -> Object:
        return await self._answer("DELETE", f"/v1/vector_stores/{store}/web_sources/{source}")

    async def _listed(self, path: str) -> AsyncIterator[Object]:
        after = ""
        while True:
            page = await self._answer("GET", path, params={"limit": "100"} | ({"after": after} if after else {}))
            for item in page["data"]:
                yield item
            if not page["has_more"]:
                return
            after = page["last_id"]

    async def _answer(self, method: str, path: str, **options: Any) -> Object:
        try:
            async with self._session.request(method, f"{self._url}{path}", **options) as response:
                body = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise DocumentsError(f"The gateway at {self._url} does not answer: {error}.") from error
        if response.status >= 400:
            raise DocumentsError(_reason(body) or f"{self._url} answered {response.status} to {method} {path}.")
        value: Object = body
        return value


def _reason(body: Any) -> str:
    """What a gateway says; empty for the answer of something else on the way."""
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else ""


@asynccontextmanager
async def connected(url: str, key: str) -> AsyncIterator[DocumentsClient]:
    headers = {"Authorization": f"Bearer {key}"}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield DocumentsClient(session, url.rstrip("/"))
