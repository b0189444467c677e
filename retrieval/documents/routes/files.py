"""`/v1/files`: upload, list, show, download, delete."""

import asyncio
import re
import unicodedata
from pathlib import PurePosixPath
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Path, Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from contract.body import Reply
from retrieval.documents.deletion_proofs import DeletionProofs
from retrieval.documents.pages import Window
from retrieval.documents.routes import TENANT
from retrieval.documents.schemas import Deleted, FileObject, Listed, Purpose
from retrieval.documents.uploaded_files import UploadedFiles
from retrieval.errors import FileTooLargeError, InvalidRequestError
from service.application import refusals, router

MOST_LISTED = 10_000
NAME_CHARACTERS = 255
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]{1,40})", re.IGNORECASE)
MOST_FIELDS = 10  # of a form
MOST_FORM_BYTES = 64 * 1024  # of a form beside its file
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "purpose"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "purpose": {"type": "string", "enum": list(get_args(Purpose))},
                },
            }
        }
    },
}

Tenant = Annotated[str, Path(max_length=63)]


class Usage(Reply):
    object: Literal["usage"] = "usage"
    files: int
    bytes: int


def file_routes(files: UploadedFiles, proofs: DeletionProofs) -> APIRouter:
    routes = router(takes_json=False)

    @routes.post(TENANT + "/files", responses=refusals(400, 403, 507), openapi_extra={"requestBody": _FORM})
    async def upload(tenant: Tenant, request: Request) -> FileObject:
        """A file sent again within ten minutes is the same file."""
        _check_head(request, files.most_bytes + MOST_FORM_BYTES)
        try:
            async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
                file, name, purpose = _upload(form)
                return FileObject.of(await asyncio.to_thread(files.add, tenant, name, purpose, file.file))
        except ClientDisconnect as error:
            raise InvalidRequestError("The upload broke off: send the file again.") from error

    @routes.get(TENANT + "/files")
    def listed(
        tenant: Tenant,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = MOST_LISTED,
        order: Literal["asc", "desc"] = "desc",
        after: Annotated[str | None, Query(max_length=80)] = None,
        purpose: Annotated[str | None, Query(max_length=32)] = None,
    ) -> Listed[FileObject]:
        shown = files.of_tenant(tenant, Window(limit, order, after), purpose)
        return Listed.of(shown, [FileObject.of(file) for file in shown.items])

    @routes.get(TENANT + "/files/usage")
    def usage(tenant: Tenant) -> Usage:
        """Of all uploaded files together, as the tenant's limits count them. Not one of OpenAI's."""
        count, size = files.usage(tenant)
        return Usage(files=count, bytes=size)

    @routes.get(TENANT + "/files/{file_id}", responses=refusals(404))
    def get(tenant: Tenant, file_id: str) -> FileObject:
        file = files.get(tenant, file_id)
        return FileObject.of(file, files.stores_of(file))

    @routes.get(TENANT + "/files/{file_id}/content", responses=refusals(404), response_class=StreamingResponse)
    def content(tenant: Tenant, file_id: str) -> StreamingResponse:
        """The bytes as they were uploaded. Browsers must not show them: a page among them could act for its reader."""
        headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
        return StreamingResponse(files.content(tenant, file_id), media_type="application/octet-stream", headers=headers)

    @routes.delete(TENANT + "/files/{file_id}", responses=refusals(404))
    async def delete(tenant: Tenant, file_id: str) -> Deleted:
        """Also takes it out of every vector store."""
        deletion = await asyncio.to_thread(files.delete, tenant, file_id)
        keys = [(tenant, name) for name in deletion.knowledge_bases]
        await proofs.index.until_file_gone(keys, file_id)
        proven = await asyncio.to_thread(proofs.prove, deletion)
        return Deleted(id=file_id, object="file", erased=bool(proven.checked), deletion=deletion.id)

    return routes


def _check_head(request: Request, most_bytes: int) -> None:
    """Before the body is read. Raises FileTooLargeError and InvalidRequestError."""
    if int(request.headers.get("content-length", "0")) > most_bytes:
        raise FileTooLargeError(f"The form is larger than {most_bytes:,} bytes: split the file.")
    charset = _CHARSET.search(request.headers.get("content-type", ""))
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        raise InvalidRequestError("The form has another charset than UTF-8: leave it out.")


def _upload(form: FormData) -> tuple[UploadFile, str, str]:
    """The file, its name and its purpose. Raises InvalidRequestError."""
    file, purpose = form.get("file"), form.get("purpose")
    if not isinstance(file, UploadFile):
        raise InvalidRequestError("The form has no file: send one as `file`.")
    if purpose not in get_args(Purpose):
        raise InvalidRequestError(f"The `purpose` is none of {', '.join(get_args(Purpose))}: use `assistants`.")
    if form.keys() - {"file", "purpose"}:
        raise InvalidRequestError("The form has fields beside `file` and `purpose`: files do not expire here.")
    return file, file_name(file.filename or ""), str(purpose)


def file_name(given: str) -> str:
    """The last part of the name, without unprintable characters. Raises InvalidRequestError if nothing is left."""
    last = PurePosixPath(given.replace("\\", "/")).name
    name = "".join(map(_shown, unicodedata.normalize("NFC", last))).strip()
    if not name or name in (".", ".."):
        raise InvalidRequestError("The file has no name: send its part of the form with a filename.")
    if len(name) > NAME_CHARACTERS:
        raise InvalidRequestError(f"The name of the file has more than {NAME_CHARACTERS} characters: shorten it.")
    return name


def _shown(character: str) -> str:
    """The character; a plain space for other spaces; nothing for an unprintable one."""
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) == "Zs" else ""
