"""Records in SQLite and in PostgreSQL: the same library, crashes, full disks and wrong addresses."""

import io
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, create_engine, inspect, select

from contract.ingest import DesiredKnowledgeBase, DesiredKnowledgeBases, DesiredTenant
from retrieval.blobs.directory import Directory
from retrieval.documents.batch_library import BatchLibrary
from retrieval.documents.database import MIGRATIONS, Database
from retrieval.documents.pages import Window, page, windowed
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.tables import metadata
from retrieval.documents.uploaded_files import UploadedFiles
from retrieval.documents.uploads import uploads
from retrieval.documents.vector_stores import Draft
from retrieval.errors import NotFoundError, QuotaError, RecordsError, UnknownTenantError
from retrieval.ingest.ledger import Ledger
from service.sql import migrate
from tests.retrieval.documents.postgres import postgres

TENANTS = [DesiredTenant(name=name, max_bytes=1_000, max_files=3, max_vector_stores=2) for name in ("acme", "globex")]


@dataclass
class Followed:
    """What the worker was told."""

    desired: list[DesiredKnowledgeBase] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)

    def set_desired(self, listed: list[DesiredKnowledgeBase]) -> None:
        self.desired = listed

    def look_at(self, keys: list[tuple[str, str]]) -> None:
        self.changed += keys


@dataclass(frozen=True)
class Records:
    database: Database
    files: UploadedFiles
    library: StoreLibrary
    followed: Followed

    @property
    def batches(self) -> BatchLibrary:
        return BatchLibrary(self.library)

    def upload(self, tenant: str, text: str, name: str = "a.txt") -> str:
        return self.files.add(tenant, name, "assistants", io.BytesIO(text.encode())).id


def opened(url: str, folder: Path) -> Records:
    database, followed = Database(url), Followed()
    files = UploadedFiles(database, Directory(folder / "objects"), 500, followed)  # type: ignore[arg-type]
    library = StoreLibrary(database, Ledger(folder / "ledger.db"), followed)  # type: ignore[arg-type]
    return Records(database, files, library, followed)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/records.db"
        return
    with postgres(tmp_path) as address:
        yield address


@pytest.fixture
def records(url: str, tmp_path: Path) -> Iterator[Records]:
    made = opened(url, tmp_path)
    made.library.set_objects(DesiredKnowledgeBases(knowledge_bases=[], tenants=TENANTS))
    yield made
    made.database.close()


def test_records_outlive_the_process(records: Records, url: str, tmp_path: Path) -> None:
    file = records.upload("acme", "one")
    store = records.library.create("acme", Draft("Help", "", {"a": "b"}), [file])
    records.library.attach(store, file, {"year": 2025, "draft": True})
    again = opened(url, tmp_path)
    same = again.library.get("acme", store.id)
    assert (same.title, same.labels) == ("Help", {"a": "b"})
    (entry,) = again.library.entries(same, Window(), None).items
    assert (entry.file_id, entry.attributes, entry.status) == (file, {"year": 2025, "draft": True}, "in_progress")
    (upload,) = uploads(again.database, *store.key)
    assert again.files.blobs.read(upload.upload.blob if upload.upload else "", 10) == b"one"
    again.database.close()


def test_limits_hold_and_deletions_make_room(records: Records) -> None:
    first = records.upload("acme", "x" * 400)
    records.upload("acme", "y" * 400, "b.txt")
    with pytest.raises(QuotaError, match="maxBytes"):
        records.upload("acme", "z" * 201, "c.txt")
    records.upload("globex", "z" * 201, "c.txt")
    records.files.delete("acme", first)
    assert records.upload("acme", "z" * 201, "c.txt")
    with pytest.raises(UnknownTenantError):
        records.upload("nobody", "a")


def test_a_failed_record_leaves_no_bytes(records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_arguments: object) -> None:
        raise RecordsError("It is away.")

    monkeypatch.setattr("retrieval.documents.files.add", failing)
    with pytest.raises(RecordsError):
        records.upload("acme", "one")
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def test_bytes_that_a_crash_left_are_deleted_later(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    file = records.upload("acme", "one")
    blob = records.files.get("acme", file).blob
    with monkeypatch.context() as patch:
        patch.setattr(UploadedFiles, "_erase", lambda *_arguments: None)
        records.files.delete("acme", file)
    assert records.files.blobs.read(blob, 10) == b"one"
    with pytest.raises(NotFoundError):
        records.files.get("acme", file)
    records.files.finish_deletions()
    assert records.files.blobs.read(blob, 10) is None


def test_all_files_of_a_batch_are_attached_or_none(records: Records) -> None:
    file, store = records.upload("acme", "one"), records.library.create("acme", Draft(), [])
    with pytest.raises(NotFoundError):
        records.batches.add(store, [(file, {}), ("file-nobodys", {})])
    assert not records.library.entries(store, Window(), None).items


def test_objects_come_and_go_and_the_stores_of_the_api_stay(records: Records) -> None:
    made = records.library.create("acme", Draft(), [])
    handbook = DesiredKnowledgeBase(tenant="acme", name="handbook", sources=[])
    records.library.set_objects(DesiredKnowledgeBases(knowledge_bases=[handbook]))
    assert {base.name for base in records.followed.desired} == {"handbook", made.knowledge_base}
    records.library.set_objects(DesiredKnowledgeBases(knowledge_bases=[]))
    assert [base.name for base in records.followed.desired] == [made.knowledge_base]


def test_only_a_deleted_tenant_loses_what_it_made(records: Records) -> None:
    file, store = records.upload("acme", "one"), records.library.create("acme", Draft(), [])
    theirs = records.upload("globex", "two")
    records.library.set_objects(DesiredKnowledgeBases(knowledge_bases=[]))
    assert records.files.get("acme", file)
    records.library.set_objects(DesiredKnowledgeBases(knowledge_bases=[], tenants=TENANTS[1:]))
    with pytest.raises(NotFoundError):
        records.files.get("acme", file)
    with pytest.raises(NotFoundError):
        records.library.get("acme", store.id)
    assert records.files.get("globex", theirs)
    assert records.followed.desired == []


def test_migrations_make_the_tables_of_the_code(url: str) -> None:
    engine = create_engine(url)
    if url.startswith("sqlite"):
        Database(url).close()
    migrate(engine, MIGRATIONS)
    migrate(engine, MIGRATIONS)
    made = inspect(engine)
    for table in metadata.tables.values():
        columns = {column["name"]: column["nullable"] for column in made.get_columns(table.name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}, table.name
        assert {index["name"] for index in made.get_indexes(table.name)} >= {index.name for index in table.indexes}
    engine.dispose()


@pytest.mark.parametrize(
    "address", ["postgresql+psycopg://quiver:secret-word@127.0.0.1:1/nothing", "sqlite:////nowhere/records.db"]
)
def test_a_database_that_is_away_is_named_without_its_password(address: str) -> None:
    database = Database(address)
    with pytest.raises(RecordsError) as refused, database.reads():
        pass
    assert "secret-word" not in str(refused.value)
    assert "check its address" in str(refused.value)


def test_a_commit_is_on_the_disk_when_it_is_answered(tmp_path: Path) -> None:
    made = opened(f"sqlite:///{tmp_path}/records.db", tmp_path)
    with made.database.writes() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(tmp_path / "records.db", timeout=0).execute("BEGIN IMMEDIATE")
    made.database.close()


def test_a_list_is_cut_in_order_and_continued_without_gaps() -> None:
    items = ["a", "c", "b", "z", "y"]
    first = page(items, str, Window(limit=2))
    assert (list(first.items), first.has_more) == (["z", "y"], True)
    second = page(items, str, Window(limit=3, after="y"))
    assert (list(second.items), second.has_more) == (["c", "b", "a"], False)
    assert list(page(items, str, Window(limit=3, after="x")).items) == ["c", "b", "a"]
    back = page(items, str, Window(limit=2, before="a"))
    assert (list(back.items), back.has_more) == (["c", "b"], True)
    rising = page(items, str, Window(limit=2, order="asc", after="a"))
    assert (list(rising.items), rising.has_more) == (["b", "c"], True)


@given(
    names=st.sets(st.text("abc", min_size=1, max_size=3), max_size=12),
    limit=st.integers(1, 4),
    order=st.sampled_from(["asc", "desc"]),
)
def test_pages_together_are_the_list_in_the_database_too(names: set[str], limit: int, order: Any) -> None:
    engine = create_engine("sqlite://")
    table = Table("t", MetaData(), Column("id", String, primary_key=True))
    with engine.connect() as connection:
        table.create(connection)
        for name in names:
            connection.execute(table.insert().values(id=name))
        read: list[str] = []
        window = Window(limit, order)
        while True:
            part = windowed(connection, select(table), table.c.id, window).mapped(lambda row: str(row.id))
            assert part == page(sorted(names), str, window)
            read += part.items
            if not part.has_more:
                break
            window = Window(limit, order, after=read[-1])
        assert read == sorted(names, reverse=order == "desc")
    engine.dispose()


def test_bytes_of_no_record_are_swept_after_an_hour(records: Records, tmp_path: Path) -> None:
    file = records.upload("acme", "one")
    folder = tmp_path / "objects" / "acme"
    for name in ("file-orphan", ".file-half.12ab", "file-new"):
        (folder / name).write_bytes(b"x")
    for path in folder.iterdir():
        if path.name != "file-new":
            os.utime(path, (1, 1))
    records.files.sweep()
    assert {path.name for path in folder.iterdir()} == {file, "file-new"}


def test_identical_uploads_at_once_are_one_file_and_a_repeated_one_needs_no_room(
    records: Records, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: records.upload("acme", "the same"), range(8)))
    assert len(ids) == 1
    assert len(list((tmp_path / "objects" / "acme").iterdir())) == 1
    records.upload("acme", "b", "b.txt")
    records.upload("acme", "c", "c.txt")
    assert {records.upload("acme", "the same")} == ids


def test_attributes_stay_where_none_are_given(records: Records) -> None:
    file, store = records.upload("acme", "one"), records.library.create("acme", Draft(), [])
    records.library.attach(store, file, {"year": 2025})
    assert records.library.attach(store, file, None).attributes == {"year": 2025}
    records.batches.add(store, [(file, None)])
    assert records.library.entry(store, file).attributes == {"year": 2025}


def test_a_cancelled_batch_takes_out_only_what_it_added(records: Records) -> None:
    first, second = records.upload("acme", "one"), records.upload("acme", "two", "b.txt")
    store = records.library.create("acme", Draft(), [first])
    batch = records.batches.add(store, [(first, {"a": 1}), (second, {})])
    records.batches.cancel(store, batch)
    statuses = {each.file_id: each.status for each in records.batches.entries(store, batch)}
    assert statuses == {first: "in_progress", second: "cancelled"}


def test_nothing_is_attached_to_a_store_that_is_gone(records: Records) -> None:
    file, store = records.upload("acme", "one"), records.library.create("acme", Draft(), [])
    records.library.remove("acme", store.id)
    with pytest.raises(NotFoundError):
        records.library.attach(store, file, {})
    with pytest.raises(NotFoundError):
        records.batches.add(store, [(file, {})])
