"""Web sources of vector stores, and their pages as files. Every method blocks: call it off the event loop."""

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from contract.ingest import DesiredKnowledgeBase, DesiredWebSource, LookedAtWebSource
from retrieval.documents import attachments, files, tenants, web_sources
from retrieval.documents.attachments import Attachment
from retrieval.documents.deletions import Deletion
from retrieval.documents.files import StoredFile
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.uploaded_files import UploadedFiles, existing_tenant
from retrieval.documents.vector_stores import Key, VectorStore
from retrieval.documents.web_sources import WebPage, WebSource
from retrieval.errors import ConflictError, InvalidRequestError, NotFoundError, QuotaError
from retrieval.web.address import normalized, page_name
from retrieval.web.client import Answer
from service.clock import microseconds

PURPOSE = "web"  # of a page's file
MOST_SOURCES = 50  # of one vector store
# A missing page is deleted after so many looks in a row; a page with the status 410, at once.
MOST_MISSED = 2
_LONGEST_ATTRIBUTE = 512
_SWEPT_AFTER = 3_600_000_000  # microseconds: a page's file is recorded a moment before the page
_MINUTE = 60_000_000  # microseconds


@dataclass(frozen=True)
class WebLibrary:
    """`changed` is called after each look."""

    library: StoreLibrary
    files: UploadedFiles
    changed: Callable[[], None] = lambda: None

    # For people -------------------------------------------------------------------------------------------------

    def add(self, store: VectorStore, url: str, depth: int, most_pages: int, every_minutes: int) -> WebSource:
        """It is looked at at once. Raises InvalidRequestError and QuotaError."""
        now = microseconds()
        source = WebSource(
            id=web_sources.new_id(),
            tenant=store.tenant,
            knowledge_base=store.knowledge_base,
            created=now,
            url=normalized(url),
            depth=depth,
            most_pages=most_pages,
            every_minutes=every_minutes,
            due=now,
        )
        with self.files.database.writes() as connection:
            existing_tenant(tenants.get(connection, store.tenant), store.tenant)
            if len(web_sources.of_store(connection, store.key)) >= MOST_SOURCES:
                raise QuotaError(f"'{store.id}' has {MOST_SOURCES} web sources: remove one, or use another store.")
            web_sources.add(connection, source)
        return source

    def follow_objects(self, bases: Iterable[DesiredKnowledgeBase]) -> None:
        """Takes over the web sources of KnowledgeBase objects: each address once, with the settings of today. A refused
        edit keeps the earlier ones."""
        stored: dict[Key, list[WebSource]] = {}
        with self.files.database.reads() as connection:
            for source in web_sources.managed(connection):
                stored.setdefault(source.key, []).append(source)
        for base in bases:
            before = stored.get((base.tenant, base.name), [])
            if not base.kept and (base.web or before):
                self._follow(base, before)

    def _follow(self, base: DesiredKnowledgeBase, stored: Sequence[WebSource]) -> None:
        desired = {_address(source.url): source for source in base.web}
        now = microseconds()
        with self.files.database.writes() as connection:
            for source in stored:
                if source.url in desired:
                    web_sources.change(connection, source.id, **_settings(desired[source.url]))
            for url in desired.keys() - {source.url for source in stored}:
                web_sources.add(connection, _managed(base, url, desired[url], now))
        for source in stored:
            if source.url not in desired:
                self._remove(source)

    def reports(self) -> Mapping[Key, list[LookedAtWebSource]]:
        """The last looks at the web sources of objects."""
        found: dict[Key, list[LookedAtWebSource]] = {}
        with self.files.database.reads() as connection:
            for source in web_sources.managed(connection):
                report = LookedAtWebSource(
                    url=source.url, pages=web_sources.count_pages(connection, source.id),
                    looked_at=source.looked // 1_000_000, message=source.message,
                )  # fmt: skip
                found.setdefault(source.key, []).append(report)
        return found

    def of_store(self, store: VectorStore) -> list[WebSource]:
        with self.files.database.reads() as connection:
            return web_sources.of_store(connection, store.key)

    def get(self, store: VectorStore, source_id: str) -> WebSource:
        with self.files.database.reads() as connection:
            source = web_sources.get(connection, store.key, source_id)
        if source is None:
            raise NotFoundError(f"No web source found with id '{source_id[:80]}'.")
        return source

    def look_again(self, store: VectorStore, source_id: str) -> WebSource:
        """It is looked at now, instead of at its time."""
        source = replace(self.get(store, source_id), due=microseconds())
        with self.files.database.writes() as connection:
            web_sources.change(connection, source.id, due=source.due)
        return source

    def remove(self, store: VectorStore, source_id: str) -> None:
        """With the files of its pages. Raises ConflictError for one of an object."""
        source = self.get(store, source_id)
        if source.managed:
            raise ConflictError(
                f"'{source.id}' is in the spec of the KnowledgeBase {source.knowledge_base}: remove it there."
            )
        self._remove(source)

    def _remove(self, source: WebSource) -> None:
        pages = self.pages(source)
        with self.files.database.writes() as connection:
            web_sources.remove(connection, source.id)
        self._delete_files(source.tenant, pages.values())

    def remove_store(self, tenant: str, store_id: str) -> Deletion:
        """A vector store, with the files of its pages; other files stay."""
        sources = self.of_store(self.library.get(tenant, store_id))
        pages = [page for source in sources for page in self.pages(source).values()]
        deletion = self.library.remove(tenant, store_id)
        self._delete_files(tenant, pages)
        return deletion

    def pages(self, source: WebSource) -> Mapping[str, WebPage]:
        with self.files.database.reads() as connection:
            return {page.url: page for page in web_sources.pages(connection, source.id)}

    # For the crawler --------------------------------------------------------------------------------------------

    def due(self) -> list[WebSource]:
        with self.files.database.reads() as connection:
            return web_sources.due(connection, microseconds())

    def finish_look(self, source: WebSource, message: str) -> None:
        now = microseconds()
        due = now + source.every_minutes * _MINUTE
        with self.files.database.writes() as connection:
            web_sources.finish(connection, source, due, now, message[:1_000])
        self.changed()

    def put_page(self, source: WebSource, answer: Answer, address: str, links: tuple[str, ...]) -> None:
        """The page's content is indexed if it is new. Raises QuotaError, FileTooLargeError, and the errors of database
        and object store."""
        with self.files.database.reads() as connection:
            before = web_sources.page(connection, source.id, address)
        digest = hashlib.sha256(answer.body).hexdigest()
        file = self._file(source, before, answer, address, digest)
        page = WebPage(
            source_id=source.id,
            url=address,
            file_id=file.id,
            etag=answer.headers.get("etag", "")[:1_000],
            modified=answer.headers.get("last-modified", "")[:100],
            links=links,
        )
        with self.files.database.writes() as connection:
            if web_sources.get(connection, source.key, source.id) is None:
                return  # removed meanwhile; the sweep deletes the file
            files.set_content(connection, file.id, len(answer.body), digest)
            attributes = {"url": address} if len(address) <= _LONGEST_ATTRIBUTE else {}
            attachment = Attachment(file, microseconds(), attributes)
            attachments.put(connection, source.key, attachment)
            web_sources.put_page(connection, page)
        self.library.worker.look_at([source.key])

    def count_pages(self, source: WebSource) -> int:
        with self.files.database.reads() as connection:
            return web_sources.count_pages(connection, source.id)

    def keep_page(self, page: WebPage) -> None:
        """It is there, unchanged."""
        if page.missed:
            with self.files.database.writes() as connection:
                web_sources.put_page(connection, replace(page, missed=0))

    def miss_page(self, source: WebSource, page: WebPage, *, at_once: bool) -> None:
        missed = page.missed + 1
        if at_once or missed >= MOST_MISSED:
            self._delete(source.tenant, page.file_id)
            return
        with self.files.database.writes() as connection:
            web_sources.put_page(connection, replace(page, missed=missed))

    def sweep(self) -> None:
        """Deletes the files of pages without a source: its vector store may be gone, too."""
        with self.files.database.reads() as connection:
            left = web_sources.files_without_page(connection, PURPOSE, microseconds() - _SWEPT_AFTER)
        for file in left:
            self._delete(file.tenant, file.id)

    def _file(self, source: WebSource, before: WebPage | None, answer: Answer, address: str, digest: str) -> StoredFile:
        """The page's file, with the new bytes."""
        content = io.BytesIO(answer.body)
        if before is None:
            return self.files.add_page(source.tenant, page_name(address, answer.content_type), PURPOSE, content)
        file = self.files.get(source.tenant, before.file_id)
        if file.sha256 != digest:
            self.files.overwrite(file, content, len(answer.body))
        return file

    def _delete_files(self, tenant: str, pages: Iterable[WebPage]) -> None:
        for page in pages:
            self._delete(tenant, page.file_id)

    def _delete(self, tenant: str, file_id: str) -> None:
        with contextlib.suppress(NotFoundError):  # it was deleted before
            self.files.delete(tenant, file_id)


def _address(url: str) -> str:
    """In its normal form; an invalid one as it is, and every look at it says what is wrong."""
    try:
        return normalized(url)
    except InvalidRequestError:
        return url


def _managed(base: DesiredKnowledgeBase, url: str, source: DesiredWebSource, now: int) -> WebSource:
    return WebSource(
        id=web_sources.new_id(),
        tenant=base.tenant,
        knowledge_base=base.name,
        created=now,
        url=url,
        depth=source.depth,
        most_pages=source.most_pages,
        every_minutes=source.every_minutes,
        due=now,
        managed=True,
    )


def _settings(source: DesiredWebSource) -> dict[str, int]:
    return {"depth": source.depth, "most_pages": source.most_pages, "every_minutes": source.every_minutes}
