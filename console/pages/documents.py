"""Documents: collections, upload, progress, passages, replacing, deleting with proof, web pages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse

from console.answer import passage_digest
from console.api import ApiError, Json
from console.security import segment
from console.visit import SignedIn, Visit

PAGE = 50
DOCUMENTS, UPLOADS = "/documents", "/uploads"
_STORES = "/v1/vector_stores"
_MINUTES = {"hour": 60, "day": 1_440, "week": 10_080}
_DEPTH_OF_SITE = 3
Text = Annotated[str, Form(max_length=2_000)]


@dataclass(frozen=True)
class Shown:
    """The visible part of a collection: documents after one, with a text in their names, in a state."""

    after: Annotated[str, Query(max_length=80)] = ""
    name: Annotated[str, Query(max_length=255)] = ""
    state: Literal["", "in_progress", "completed", "failed"] = ""

    @property
    def window(self) -> dict[str, str]:
        """The parameters of the list."""
        given = {"after": self.after, "filename": self.name, "filter": self.state}
        return {"limit": str(PAGE)} | {name: value for name, value in given.items() if value}

    def address(self, **changed: str) -> str:
        """The query of another part."""
        return urlencode({"after": self.after, "name": self.name, "state": self.state} | changed)


def path(*parts: str) -> str:
    """Below the vector stores; every part is quoted."""
    return "/".join((_STORES, *map(segment, parts)))


def routes() -> APIRouter:
    pages = APIRouter(prefix=DOCUMENTS)

    @pages.get("")
    async def documents(visit: SignedIn) -> Response:
        """The first collection."""
        stores = await _stores(visit)
        if stores:
            return visit.go(f"/documents/{stores[0]['id']}")
        return visit.page("documents.html", stores=[], store=None, usage=None, shown=Shown())

    @pages.post("")
    async def create(visit: SignedIn, name: Text) -> Response:
        store = await visit.post(_STORES, {"name": name})
        return visit.go(f"/documents/{store['id']}", "created")

    @pages.get("/{store_id}")
    async def collection(visit: SignedIn, store_id: str, shown: Annotated[Shown, Depends()]) -> Response:
        stores, usage, listed = await asyncio.gather(
            _stores(visit), visit.get(f"{visit.path}/usage"), _listed(visit, store_id, shown)
        )
        store = next((each for each in stores if each["id"] == store_id), None)
        if store is None:  # deleted meanwhile
            raise HTTPException(404)
        return visit.page("documents.html", stores=stores, usage=usage, store=store, shown=shown, **listed)

    @pages.get("/{store_id}/list")
    async def part(visit: SignedIn, store_id: str, shown: Annotated[Shown, Depends()]) -> Response:
        """The part of the page for documents in work."""
        store, listed = await asyncio.gather(visit.get(path(store_id)), _listed(visit, store_id, shown))
        return visit.page("documents_list.html", store=store, shown=shown, **listed)

    return pages


def document_routes() -> APIRouter:
    pages = APIRouter(prefix=DOCUMENTS)

    @pages.get("/{store_id}/{file_id}")
    async def document(visit: SignedIn, store_id: str, file_id: str, cited: str = "") -> Response:
        address = path(store_id, "files", file_id)
        entry, content = await visit.every(address, f"{address}/content")
        passages = [(each["text"], passage_digest(each["text"]) == cited) for each in content["data"]]
        return visit.page("document.html", store_id=store_id, document=entry, passages=passages)

    @pages.get("/{store_id}/{file_id}/state")
    async def state(visit: SignedIn, store_id: str, file_id: str) -> Response:
        """For the page's script: the state in words."""
        entry = await visit.get(path(store_id, "files", file_id))
        shown = visit.language.either(f"state.{entry['state']}", entry["state"])
        fault = (entry.get("last_error") or {}).get("message", "")
        return JSONResponse({"status": entry["status"], "state": shown, "fault": fault})

    @pages.get("/{store_id}/{file_id}/content")
    async def content(visit: SignedIn, file_id: str, store_id: str) -> Response:
        """The file as it was uploaded; a browser saves it, and never shows it."""
        entry = await visit.get(path(store_id, "files", file_id))
        name = quote(entry["filename"])
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
        lines = visit.api.content(visit.person, f"/v1/files/{segment(file_id)}/content")
        return StreamingResponse(lines, media_type="application/octet-stream", headers=headers)

    @pages.post("/{store_id}/{file_id}/delete")
    async def delete(visit: SignedIn, store_id: str, file_id: str) -> Response:
        gone = await visit.delete(f"/v1/files/{segment(file_id)}")
        return visit.go(f"/deletions/{gone['deletion']}?store={quote(store_id)}")

    return pages


def upload_routes() -> APIRouter:
    pages = APIRouter(prefix=UPLOADS)

    @pages.post("/{store_id}")
    async def upload(request: Request, visit: SignedIn, store_id: str, replaces: str = "") -> Response:
        """A form with a file and its purpose. The answer is JSON for the page's script, else the collection."""
        file = await visit.api.upload(visit.person, request)
        try:
            old = [*await _same_named(visit, store_id, file), *([replaces] if replaces else [])]
            await visit.post(path(store_id, "files"), {"file_id": file["id"], "replaces": old})
        except ApiError as error:
            if error.is_refusal:
                await _discard(visit, str(file["id"]))
            raise
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"id": file["id"], "name": file["filename"], "replaces": old})
        return visit.go(f"/documents/{quote(store_id)}")

    return pages


async def _discard(visit: Visit, file_id: str) -> None:
    """Deletes a refused upload, which would use the quota and be on no page. The same file may have been uploaded to
    another collection a moment before: then it stays."""
    address = f"/v1/files/{segment(file_id)}"
    with suppress(ApiError):  # the refusal is what the person must read
        if not (await visit.get(address))["vector_stores"]:
            await visit.delete(address)


def web_routes() -> APIRouter:
    pages = APIRouter(prefix="/web")

    @pages.post("/{store_id}")
    async def add(visit: SignedIn, store_id: str, url: Text, every: Text = "day", site: Text = "") -> Response:
        body = {"url": url, "depth": _DEPTH_OF_SITE if site else 0, "every_minutes": _MINUTES.get(every, 1_440)}
        await visit.post(path(store_id, "web_sources"), body)
        return visit.go(f"/documents/{quote(store_id)}", "added")

    @pages.post("/{store_id}/{source_id}/look")
    async def look(visit: SignedIn, store_id: str, source_id: str) -> Response:
        await visit.post(path(store_id, "web_sources", source_id, "look"))
        return visit.go(f"/documents/{quote(store_id)}", "looked")

    @pages.post("/{store_id}/{source_id}/remove")
    async def remove(visit: SignedIn, store_id: str, source_id: str) -> Response:
        await visit.delete(path(store_id, "web_sources", source_id))
        return visit.go(f"/documents/{quote(store_id)}", "removed")

    return pages


def deletion_routes() -> APIRouter:
    pages = APIRouter(prefix="/deletions")

    @pages.get("/{deletion_id}")
    async def deletion(visit: SignedIn, deletion_id: str, store: str = "") -> Response:
        record = await visit.get(f"/v1/deletions/{segment(deletion_id)}")
        return visit.page("deletion.html", deletion=record, store=store)

    @pages.get("/{deletion_id}/part")
    async def part(visit: SignedIn, deletion_id: str) -> Response:
        """The part of the page for an unproven deletion."""
        record = await visit.get(f"/v1/deletions/{segment(deletion_id)}")
        return visit.page("deletion_part.html", deletion=record)

    return pages


async def _stores(visit: Visit) -> Sequence[Json]:
    """The collections, oldest first."""
    return [store async for store in _every(visit, _STORES, order="asc")]


async def _every(visit: Visit, address: str, **parameters: str) -> AsyncIterator[Json]:
    """The items of all pages of a list."""
    while True:
        page = await visit.get(address, limit="100", **parameters)
        for item in page["data"]:
            yield item
        if not page["has_more"]:
            return
        parameters["after"] = page["last_id"]


async def _listed(visit: Visit, store_id: str, shown: Shown) -> dict[str, Any]:
    """A page of documents, the newest first, and the web sources."""
    listed, sources = await asyncio.gather(
        visit.get(path(store_id, "files"), **shown.window), visit.get(path(store_id, "web_sources"))
    )
    return {"documents": listed["data"], "has_more": listed["has_more"], "last": listed["last_id"],
            "sources": sources["data"]}  # fmt: skip


async def _same_named(visit: Visit, store_id: str, file: Json) -> list[str]:
    """Uploads with the name of a new file, which replaces them."""
    listed = _every(visit, path(store_id, "files"), filename=file["filename"][:255])
    return [each["id"] async for each in listed if _is_older(each, file)]


def _is_older(document: Json, file: Json) -> bool:
    return bool(document["filename"] == file["filename"] and document["uploaded"] and document["id"] != file["id"])
