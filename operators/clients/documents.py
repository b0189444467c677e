"""Speaks to a gateway's API of files and vector stores, as any caller does."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

POLL_S = 0.25
_CONNECT_S = 5.0

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
        """Returns once the file can be searched, or has failed."""
        body = {"file_id": file_id, "attributes": attributes}
        file = await self._answer("POST", f"/v1/vector_stores/{store}/files", json=body)
        while file["status"] == "in_progress":
            await asyncio.sleep(POLL_S)
            file = await self._answer("GET", f"/v1/vector_stores/{store}/files/{file_id}")
        return file

    async def delete_file(self, file_id: str) -> Object:
        return await self._answer("DELETE", f"/v1/files/{file_id}")

    async def search(self, store: str, question: str, most: int) -> list[Object]:
        body = {"query": question, "max_num_results": most}
        page = await self._answer("POST", f"/v1/vector_stores/{store}/search", json=body)
        return list(page["data"])

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
            raise DocumentsError(str(body["error"]["message"]))
        value: Object = body
        return value


@asynccontextmanager
async def connected(url: str, key: str) -> AsyncIterator[DocumentsClient]:
    headers = {"Authorization": f"Bearer {key}"}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield DocumentsClient(session, url.rstrip("/"))
