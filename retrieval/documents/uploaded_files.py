"""Takes in, shows and deletes uploaded files. Every method blocks: call it off the event loop."""

import hashlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import Connection

from contract.ingest import DesiredTenant
from contract.vector_store import store_id
from retrieval.blobs import Blobs
from retrieval.documents import attachments, deletions, files, tenants
from retrieval.documents.database import Database
from retrieval.documents.deletions import Deletion
from retrieval.documents.files import StoredFile
from retrieval.documents.pages import Page, Window
from retrieval.errors import FileTooLargeError, NotFoundError, QuotaError, RetrievalError, UnknownTenantError
from retrieval.ingest.worker import Worker
from service.clock import microseconds

# A client sends an upload again if its answer is lost. Within this time, the same file is the same upload.
RESENT_MICROSECONDS = 10 * 60 * 1_000_000
ORPHAN_SECONDS = 3600.0  # longer than any upload takes
_PIECE = 256 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UploadedFiles:
    """`worker` makes the index follow a deletion."""

    database: Database
    blobs: Blobs
    most_bytes: int  # of one file
    worker: Worker

    def check_room(self, tenant: str, size: int) -> None:
        """Raises QuotaError, FileTooLargeError and UnknownTenantError."""
        with self.database.reads() as connection:
            limits = existing_tenant(tenants.get(connection, tenant), tenant)
            self._check(limits, *files.usage(connection, tenant), size)

    def add(self, tenant: str, name: str, purpose: str, content: BinaryIO) -> StoredFile:
        """A file uploaded a second time within minutes is stored once."""
        file = _described(tenant, name, purpose, content)
        with self.database.reads() as connection:
            twin = _twin(connection, file)
        return twin or self._store(file, content, is_page=False)

    def add_page(self, tenant: str, name: str, purpose: str, content: BinaryIO) -> StoredFile:
        """A file of its own, even if there is another one like it."""
        return self._store(_described(tenant, name, purpose, content), content, is_page=True)

    def overwrite(self, file: StoredFile, content: BinaryIO, size: int) -> None:
        """Replaces the bytes, not the record. A file that shrinks has room in any case. Raises as `check_room`."""
        self._check_size(size)
        with self.database.reads() as connection:
            limits = existing_tenant(tenants.get(connection, file.tenant), file.tenant)
            _, used = files.usage(connection, file.tenant)
        if size > file.size:
            _check_bytes(limits, used, size - file.size)
        self.blobs.put(file.blob, content)

    def _store(self, file: StoredFile, content: BinaryIO, *, is_page: bool) -> StoredFile:
        """The bytes are safe before the record is, so every answered file exists."""
        self.check_room(file.tenant, file.size)
        self.blobs.put(file.blob, content)
        recorded = None
        try:
            recorded = self._record(file, is_page=is_page)
            return recorded
        finally:
            if recorded != file:
                self.blobs.delete(file.blob)

    def get(self, tenant: str, file_id: str) -> StoredFile:
        with self.database.reads() as connection:
            return existing_file(files.get(connection, tenant, file_id), file_id)

    def stores_of(self, file: StoredFile) -> list[str]:
        """The ids of the vector stores with this file."""
        with self.database.reads() as connection:
            return [store_id(name) for _, name in attachments.stores_of(connection, file.id)]

    def of_tenant(self, tenant: str, window: Window, purpose: str | None) -> Page[StoredFile]:
        with self.database.reads() as connection:
            return files.of_tenant(connection, tenant, window, purpose)

    def usage(self, tenant: str) -> tuple[int, int]:
        """The number of files, and their bytes."""
        with self.database.reads() as connection:
            return files.usage(connection, tenant)

    def content(self, tenant: str, file_id: str) -> Iterator[bytes]:
        file = self.get(tenant, file_id)
        pieces = self.blobs.pieces(file.blob)
        if pieces is None:
            raise NotFoundError(f"The bytes of file '{file_id}' are gone from the object store: upload it again.")
        return pieces

    def delete(self, tenant: str, file_id: str) -> Deletion:
        """Takes the file out of every vector store and deletes its bytes."""
        with self.database.writes() as connection:
            file = existing_file(files.get(connection, tenant, file_id), file_id)
            keys = attachments.stores_of(connection, file_id)
            attachments.detach_everywhere(connection, file_id)
            files.mark_deleted(connection, tenant, file_id)
            deletion = deletions.new(tenant, "file", file_id, file.name, [name for _, name in keys])
            deletions.add(connection, deletion)
        self.worker.look_at(keys)
        self._erase(file)
        return deletion

    def finish_deletions(self) -> None:
        """Deletes the bytes of deleted files: a crash or a failing object store may have left them."""
        with self.database.reads() as connection:
            left = files.deleted(connection)
        for file in left:
            try:
                self._erase(file)
            except RetrievalError as error:
                log.warning("%s: the bytes of the deleted file %s are still there: %s", file.tenant, file.id, error)

    def sweep(self) -> None:
        """Deletes bytes without a record: a crash in the middle of an upload leaves them."""
        old = list(self.blobs.keys(older_than=time.time() - ORPHAN_SECONDS))
        with self.database.reads() as connection:
            recorded = files.blob_keys(connection)
        for key in old:
            if key not in recorded:
                log.warning("%s: bytes without a record are deleted", key)
                self.blobs.delete(key)

    def _erase(self, file: StoredFile) -> None:
        self.blobs.delete(file.blob)
        with self.database.writes() as connection:
            files.forget(connection, file.id)

    def _record(self, file: StoredFile, *, is_page: bool) -> StoredFile:
        """The file, or its twin recorded meanwhile."""
        with self.database.writes() as connection:
            limits = existing_tenant(tenants.get(connection, file.tenant), file.tenant)  # others wait from here on
            if not is_page and (twin := _twin(connection, file)):
                return twin
            self._check(limits, *files.usage(connection, file.tenant), file.size)
            files.add(connection, file)
        return file

    def _check(self, limits: DesiredTenant, count: int, used: int, size: int) -> None:
        self._check_size(size)
        if count >= limits.max_files:
            raise QuotaError(
                f"Your organization has {count:,} of {limits.max_files:,} files: delete some, or ask for more "
                "(documents.maxFiles of the Tenant)."
            )
        _check_bytes(limits, used, size)

    def _check_size(self, size: int) -> None:
        if size > self.most_bytes:
            raise FileTooLargeError(f"The file has {size:,} bytes, over the limit of {self.most_bytes:,}: split it.")


def _check_bytes(limits: DesiredTenant, used: int, added: int) -> None:
    if used + added > limits.max_bytes:
        raise QuotaError(
            f"Your organization's files have {used:,} bytes, and this one {added:,} more, over the limit of "
            f"{limits.max_bytes:,}: delete some, or ask for more (documents.maxBytes of the Tenant)."
        )


def existing_file(file: StoredFile | None, file_id: str) -> StoredFile:
    """Raises NotFoundError, with the same words for an unknown file and for another tenant's."""
    if file is None:
        raise NotFoundError(f"No file found with id '{file_id[:80]}'.")
    return file


def existing_tenant(tenant: DesiredTenant | None, name: str) -> DesiredTenant:
    if tenant is None:
        raise UnknownTenantError(f"The tenant {name} has not reached the ingest worker yet: try again in a moment.")
    return tenant


def _twin(connection: Connection, file: StoredFile) -> StoredFile | None:
    return files.twin(connection, file, file.created - RESENT_MICROSECONDS)


def _described(tenant: str, name: str, purpose: str, content: BinaryIO) -> StoredFile:
    """A new record of a file. Reads the file, and returns to its beginning."""
    content.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := content.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    content.seek(0)
    return StoredFile(files.new_id(), tenant, microseconds(), name, purpose, size, digest.hexdigest())
