"""Records of web sources, and of their pages at the last look."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from retrieval.documents.files import StoredFile, stored_file
from retrieval.documents.tables import files, web_pages, web_sources
from retrieval.documents.vector_stores import Key
from service.clock import ordered_id


@dataclass(frozen=True)
class WebSource:
    """A page, or a part of a site. The fields are columns."""

    id: str
    tenant: str
    knowledge_base: str
    created: int  # microseconds since the epoch
    url: str
    depth: int  # of links to follow
    most_pages: int
    every_minutes: int
    due: int = 0  # microseconds since the epoch
    looked: int = 0  # microseconds since the epoch; 0 before the first look has ended
    message: str = ""
    managed: bool = False  # the KnowledgeBase object's

    @property
    def key(self) -> Key:
        return self.tenant, self.knowledge_base


@dataclass(frozen=True)
class WebPage:
    """A page, with its content in a file. The fields are columns."""

    source_id: str
    url: str
    file_id: str
    etag: str
    modified: str
    links: tuple[str, ...]
    missed: int = 0  # looks in a row without it


def new_id() -> str:
    return "web_" + ordered_id()


def add(connection: Connection, source: WebSource) -> None:
    connection.execute(web_sources.insert().values(**asdict(source)))


def get(connection: Connection, key: Key, source_id: str) -> WebSource | None:
    return next(_sources(connection, _store(key) & (web_sources.c.id == source_id)), None)


def of_store(connection: Connection, key: Key) -> list[WebSource]:
    return list(_sources(connection, _store(key)))


def managed(connection: Connection) -> list[WebSource]:
    """Those of KnowledgeBase objects, in order of their addresses."""
    return sorted(_sources(connection, web_sources.c.managed), key=lambda source: source.url)


def due(connection: Connection, now: int) -> list[WebSource]:
    """The sources to look at, the longest due first."""
    return sorted(_sources(connection, web_sources.c.due <= now), key=lambda source: source.due)


def change(connection: Connection, source_id: str, **values: object) -> None:
    """Sets columns."""
    connection.execute(update(web_sources).where(web_sources.c.id == source_id).values(**values))


def remove(connection: Connection, source_id: str) -> None:
    """With its pages; their files stay."""
    connection.execute(delete(web_sources).where(web_sources.c.id == source_id))


def pages(connection: Connection, source_id: str) -> list[WebPage]:
    return list(_pages(connection, web_pages.c.source_id == source_id))


def page(connection: Connection, source_id: str, url: str) -> WebPage | None:
    return next(_pages(connection, _page(source_id, url)), None)


def count_pages(connection: Connection, source_id: str) -> int:
    query = select(func.count()).where(web_pages.c.source_id == source_id)
    return int(connection.execute(query).scalar_one())


def finish(connection: Connection, source: WebSource, due: int, looked: int, message: str) -> None:
    """Another look that was asked for meanwhile stays due."""
    change(connection, source.id, looked=looked, message=message)
    same = (web_sources.c.id == source.id) & (web_sources.c.due == source.due)
    connection.execute(update(web_sources).where(same).values(due=due))


def put_page(connection: Connection, page: WebPage) -> None:
    connection.execute(delete(web_pages).where(_page(page.source_id, page.url)))
    connection.execute(web_pages.insert().values(**asdict(page) | {"links": list(page.links)}))


def files_without_page(connection: Connection, purpose: str, before: int) -> list[StoredFile]:
    """Files of this purpose that were created before a time, and are the content of no page."""
    lost = (
        (files.c.purpose == purpose)
        & ~files.c.deleted
        & (files.c.created < before)
        & files.c.id.not_in(select(web_pages.c.file_id))
    )
    return list(map(stored_file, connection.execute(select(files).where(lost))))


def _store(key: Key) -> ColumnElement[bool]:
    return (web_sources.c.tenant == key[0]) & (web_sources.c.knowledge_base == key[1])


def _sources(connection: Connection, condition: ColumnElement[bool]) -> Iterator[WebSource]:
    rows = connection.execute(select(web_sources).where(condition)).mappings()
    return (WebSource(**row) for row in rows)


def _page(source_id: str, url: str) -> ColumnElement[bool]:
    return (web_pages.c.source_id == source_id) & (web_pages.c.url == url)


def _pages(connection: Connection, condition: ColumnElement[bool]) -> Iterator[WebPage]:
    rows = connection.execute(select(web_pages).where(condition)).mappings()
    return (WebPage(**dict(row) | {"links": tuple(row["links"])}) for row in rows)
