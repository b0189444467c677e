"""Speaks to a gateway's API of files and vector stores, as any caller does."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp

from operators.clients.public_client import Object, PublicClient

POLL_S = 0.25


class DocumentsClient:
    """All methods raise RefusedError."""

    def __init__(self, client: PublicClient) -> None:
        self._client = client

    async def stores(self) -> list[Object]:
        return [store async for store in self._client.listed("/v1/vector_stores")]

    async def create_store(self, name: str) -> Object:
        return await self._client.answer("POST", "/v1/vector_stores", json={"name": name})

    async def delete_store(self, store: str) -> Object:
        return await self._client.answer("DELETE", f"/v1/vector_stores/{store}")

    async def files(self, store: str) -> list[Object]:
        return [file async for file in self._client.listed(f"/v1/vector_stores/{store}/files")]

    async def upload(self, path: Path, purpose: str = "assistants") -> Object:
        """The bytes are read as they are sent."""
        form = aiohttp.FormData(quote_fields=False)  # a name in any script
        form.add_field("purpose", purpose)
        with await asyncio.to_thread(path.open, "rb") as file:
            form.add_field("file", file, filename=path.name, content_type="application/octet-stream")
            return await self._client.answer("POST", "/v1/files", data=form)

    async def attach(self, store: str, file_id: str, attributes: Mapping[str, str]) -> Object:
        """Returns once the file can be searched, or has failed. Without attributes, those that it has stay."""
        body = {"file_id": file_id} | ({"attributes": attributes} if attributes else {})
        file = await self._client.answer("POST", f"/v1/vector_stores/{store}/files", json=body)
        while file["status"] == "in_progress":
            await asyncio.sleep(POLL_S)
            file = await self._client.answer("GET", f"/v1/vector_stores/{store}/files/{file_id}")
        return file

    async def drop(self, store: str, file_id: str) -> None:
        """Take a file out of a store, and delete it if it is in no other."""
        await self._client.answer("DELETE", f"/v1/vector_stores/{store}/files/{file_id}")
        if not (await self._client.answer("GET", f"/v1/files/{file_id}"))["vector_stores"]:
            await self.delete_file(file_id)

    async def delete_file(self, file_id: str) -> Object:
        return await self._client.answer("DELETE", f"/v1/files/{file_id}")

    async def search(self, store: str, question: str, most: int, match: str = "any") -> list[Object]:
        body = {"query": question, "max_num_results": most, "match": match}
        page = await self._client.answer("POST", f"/v1/vector_stores/{store}/search", json=body)
        return list(page["data"])

    async def deletions(self) -> list[Object]:
        return [deletion async for deletion in self._client.listed("/v1/deletions")]

    async def web(self, store: str) -> list[Object]:
        return list((await self._client.answer("GET", f"/v1/vector_stores/{store}/web_sources"))["data"])

    async def add_web(self, store: str, body: Object, progress: Callable[[int], None]) -> Object:
        """Returns after the first look; `progress` is called with the pages read so far, once a second."""
        path = f"/v1/vector_stores/{store}/web_sources"
        source = await self._client.answer("POST", path, json=body)
        while source["looked_at"] is None:
            await asyncio.sleep(1)
            source = await self._client.answer("GET", f"{path}/{source['id']}")
            progress(int(source["pages"]))
        return source

    async def remove_web(self, store: str, source: str) -> Object:
        return await self._client.answer("DELETE", f"/v1/vector_stores/{store}/web_sources/{source}")
