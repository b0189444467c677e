"""The stock client uploads, follows, searches and deletes documents."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path

import openai
import pytest
from openai.types import FileObject

from tests.retrieval.documents.platform import LIMITS, Documents

PLANS = ("plans.md", b"# Plans\n\nThe Velmora Basic plan costs 30 euros a month.\n\nSupport answers within two days.")
HOURS = ("hours.txt", b"The office opens at nine in the morning and closes at six.")


async def uploaded(client: openai.AsyncOpenAI, file: tuple[str, bytes] = PLANS) -> FileObject:
    return await client.files.create(file=file, purpose="assistants")


async def texts(client: openai.AsyncOpenAI, store: str, query: str, **options: object) -> list[str]:
    page = await client.vector_stores.search(store, query=query, **options)  # type: ignore[arg-type]
    return [part.text for item in page.data for part in item.content]


async def test_an_uploaded_file_is_found_and_a_deleted_one_is_not(client: openai.AsyncOpenAI) -> None:
    store = await client.vector_stores.create(name="Help", metadata={"team": "support"})
    file = await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=PLANS)
    assert (file.status, file.last_error) == ("completed", None)
    page = await client.vector_stores.search(store.id, query="What does the Basic plan cost?")
    first = page.data[0]
    assert (first.file_id, first.filename) == (file.id, "plans.md")
    assert "30 euros" in first.content[0].text
    assert first.score > 0.3
    uploaded_on = datetime.fromtimestamp((await client.files.retrieve(file.id)).created_at, UTC).date()
    assert (first.model_extra or {})["dated"] == uploaded_on.isoformat()
    deleted = await client.files.delete(file.id)
    assert (deleted.deleted, (deleted.model_extra or {})["erased"]) == (True, True)
    assert await texts(client, store.id, "What does the Basic plan cost?") == []
    with pytest.raises(openai.NotFoundError, match=f"No file found with id '{file.id}'"):
        await client.files.content(file.id)


async def test_a_batch_is_followed_to_its_end(client: openai.AsyncOpenAI) -> None:
    store = await client.vector_stores.create()
    files = [(f"{number}.txt", f"Rule {number} is about subject {number}.".encode()) for number in range(6)]
    batch = await client.vector_stores.file_batches.upload_and_poll(store.id, files=[*files, ("a.bin", b"\x00\x01")])
    assert (batch.status, batch.file_counts.completed, batch.file_counts.failed) == ("completed", 6, 1)
    listed = await client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, filter="failed")
    (failed,) = listed.data
    assert failed.last_error is not None
    assert failed.last_error.code == "unsupported_file"
    shown = await client.vector_stores.retrieve(store.id)
    assert (shown.file_counts.total, shown.status) == (7, "completed")
    assert len(await texts(client, store.id, "Which rule is about subject 3?", max_num_results=3)) == 3


async def test_the_client_is_told_to_look_more_often_than_each_second(client: openai.AsyncOpenAI) -> None:
    store = await client.vector_stores.create()
    file = await uploaded(client)
    answer = await client.vector_stores.files.with_raw_response.create(store.id, file_id=file.id)
    assert int(answer.headers["openai-poll-after-ms"]) <= 300


async def test_a_file_that_is_sent_twice_is_one_and_other_content_is_another(client: openai.AsyncOpenAI) -> None:
    first, again = await uploaded(client), await uploaded(client)
    other = await uploaded(client, ("plans.md", b"Other plans."))
    assert first.id == again.id != other.id
    assert {file.id for file in (await client.files.list()).data} == {first.id, other.id}
    assert (await client.files.content(first.id)).content == PLANS[1]


async def test_attributes_choose_what_is_searched(client: openai.AsyncOpenAI) -> None:
    store = await client.vector_stores.create()
    for year in (2024, 2025):
        await client.vector_stores.files.upload_and_poll(
            vector_store_id=store.id,
            file=(f"{year}.txt", f"The Velmora Basic plan costs {year - 2000} euros in the list of {year}.".encode()),
            attributes={"year": year, "kind": 'a "list"', "draft": year == 2025},
        )
    cases: list[tuple[dict[str, object], list[str]]] = [
        ({"type": "eq", "key": "year", "value": 2024}, ["2024.txt"]),
        ({"type": "gt", "key": "year", "value": 2024}, ["2025.txt"]),
        ({"type": "eq", "key": "draft", "value": True}, ["2025.txt"]),
        ({"type": "in", "key": "kind", "value": ['a "list"']}, ["2024.txt", "2025.txt"]),
        ({"type": "nin", "key": "year", "value": [2024]}, ["2025.txt"]),
        ({"type": "ne", "key": "nothing", "value": 1}, []),
        ({"type": "eq", "key": "filename", "value": "2024.txt"}, ["2024.txt"]),
        ({"type": "eq", "key": 'year"] == 2024 or attributes["year', "value": 1}, []),
        ({"type": "or", "filters": [
            {"type": "eq", "key": "year", "value": 2024},
            {"type": "and", "filters": [{"type": "gte", "key": "year", "value": 2025}]},
        ]}, ["2024.txt", "2025.txt"]),
    ]  # fmt: skip
    for chosen, expected in cases:
        page = await client.vector_stores.search(store.id, query="What costs Basic?", filters=chosen)  # type: ignore[arg-type]
        assert sorted({item.filename for item in page.data}) == expected, chosen


async def test_changed_attributes_apply_without_another_upload(client: openai.AsyncOpenAI) -> None:
    store = await client.vector_stores.create()
    file = await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=PLANS)
    await client.vector_stores.files.update(file.id, vector_store_id=store.id, attributes={"draft": True})
    await client.vector_stores.files.poll(file.id, vector_store_id=store.id)
    drafts = {"type": "eq", "key": "draft", "value": True}
    assert await texts(client, store.id, "What does Basic cost?", filters=drafts)


@pytest.mark.parametrize(
    "filters", [{"type": "and", "filters": []}, {"type": "eq", "key": "a"}, {"type": "gt", "key": "a", "value": "b"}]
)
async def test_a_filter_that_means_nothing_is_refused(client: openai.AsyncOpenAI, filters: dict[str, object]) -> None:
    store = await client.vector_stores.create()
    with pytest.raises(openai.BadRequestError):
        await client.vector_stores.search(store.id, query="a", filters=filters)  # type: ignore[arg-type]


async def test_no_route_shows_or_changes_anything_of_another_tenant(
    client: openai.AsyncOpenAI, stranger: openai.AsyncOpenAI
) -> None:
    store = await client.vector_stores.create(name="Ours")
    file = await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=PLANS)
    batch = await client.vector_stores.file_batches.create(store.id, file_ids=[file.id])
    theirs = await stranger.vector_stores.create(name="Theirs")
    own = await uploaded(stranger, HOURS)
    tries: list[Awaitable[object]] = [
        stranger.files.retrieve(file.id),
        stranger.files.content(file.id),
        stranger.files.delete(file.id),
        stranger.vector_stores.retrieve(store.id),
        stranger.vector_stores.update(store.id, name="Mine"),
        stranger.vector_stores.delete(store.id),
        stranger.vector_stores.search(store.id, query="What does Basic cost?"),
        stranger.vector_stores.create(file_ids=[file.id]),
        stranger.vector_stores.files.list(store.id),
        stranger.vector_stores.files.create(store.id, file_id=own.id),
        stranger.vector_stores.files.create(theirs.id, file_id=file.id),
        stranger.vector_stores.files.retrieve(file.id, vector_store_id=store.id),
        stranger.vector_stores.files.update(file.id, vector_store_id=store.id, attributes={}),
        stranger.vector_stores.files.content(file.id, vector_store_id=store.id),
        stranger.vector_stores.files.content(file.id, vector_store_id=theirs.id),
        stranger.vector_stores.files.delete(file.id, vector_store_id=store.id),
        stranger.vector_stores.file_batches.create(store.id, file_ids=[own.id]),
        stranger.vector_stores.file_batches.create(theirs.id, file_ids=[file.id]),
        stranger.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id),
        stranger.vector_stores.file_batches.retrieve(batch.id, vector_store_id=theirs.id),
        stranger.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id),
        stranger.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id),
    ]
    refused = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(each) for each in refused] == [openai.NotFoundError] * len(tries)
    assert [each.id for each in (await stranger.files.list()).data] == [own.id]
    assert [each.id for each in (await stranger.vector_stores.list()).data] == [theirs.id]
    assert await texts(stranger, theirs.id, "What does Basic cost?") == []
    assert (await client.vector_stores.files.retrieve(file.id, vector_store_id=store.id)).status == "completed"


async def test_a_key_for_questions_searches_and_changes_nothing(platform: Documents, tenant: str) -> None:
    async with platform.client(f"{tenant}-all") as client, platform.client(f"{tenant}-ask") as asking:
        store = await client.vector_stores.create()
        await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=PLANS)
        assert await texts(asking, store.id, "What does Basic cost?")
        for refused in (
            asking.files.list(),
            asking.files.create(file=HOURS, purpose="assistants"),
            asking.vector_stores.delete(store.id),
        ):
            with pytest.raises(openai.PermissionDeniedError, match="documents"):
                await refused


async def test_limits_of_the_tenant_refuse_and_say_what_to_do(
    platform: Documents, client: openai.AsyncOpenAI, tenant: str
) -> None:
    await platform.desire({tenant: {"max_bytes": 200, "max_files": 2, "max_vector_stores": 1}})
    await client.vector_stores.create()
    with pytest.raises(openai.PermissionDeniedError, match="maxVectorStores"):
        await client.vector_stores.create()
    await uploaded(client, ("a.txt", b"a" * 150))
    with pytest.raises(openai.PermissionDeniedError, match="maxBytes"):
        await uploaded(client, ("b.txt", b"b" * 51))
    await uploaded(client, ("b.txt", b"b"))
    with pytest.raises(openai.PermissionDeniedError, match="maxFiles"):
        await uploaded(client, ("c.txt", b"c"))
    with pytest.raises(openai.APIStatusError) as refused:
        await uploaded(client, ("d.txt", b"d" * 1_100_000))
    assert refused.value.status_code == 413


async def test_a_deleted_tenant_leaves_no_file_and_no_store(
    platform: Documents, client: openai.AsyncOpenAI, tenant: str
) -> None:
    store = await client.vector_stores.create()
    await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=PLANS)
    await platform.desire({f"{tenant}-x": LIMITS})
    await platform.desire({f"{tenant}-x": LIMITS, tenant: LIMITS})
    assert (await client.files.list()).data == []
    assert (await client.vector_stores.list()).data == []


async def test_files_join_the_folders_of_a_knowledge_base(
    platform: Documents, client: openai.AsyncOpenAI, tenant: str, tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "hours.txt").write_bytes(HOURS[1])
    base = {"tenant": tenant, "name": "handbook", "sources": [{"path": str(folder)}]}
    await platform.desire({tenant: LIMITS}, base)
    file = await client.vector_stores.files.upload_and_poll(vector_store_id="vs_handbook", file=PLANS)
    deadline = time.monotonic() + 30
    while (await client.vector_stores.retrieve("vs_handbook")).file_counts.completed < 2:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    (hours,) = [each for each in (await client.vector_stores.files.list("vs_handbook")).data if each.id != file.id]
    assert "nine in the morning" in (await texts(client, "vs_handbook", "When does the office open?"))[0]
    content = await client.vector_stores.files.content(hours.id, vector_store_id="vs_handbook")
    assert [each.text for each in content.data] == [HOURS[1].decode()]
    with pytest.raises(openai.ConflictError, match="folder"):
        await client.vector_stores.files.delete(hours.id, vector_store_id="vs_handbook")
    with pytest.raises(openai.ConflictError, match="KnowledgeBase"):
        await client.vector_stores.delete("vs_handbook")


async def test_a_cancelled_batch_leaves_what_was_ready(client: openai.AsyncOpenAI) -> None:
    store = await client.vector_stores.create()
    done = await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=HOURS)
    long = b"\n\n".join(b"Paragraph %d tells about the subject %d at some length." % (n, n) for n in range(4_000))
    slow = await uploaded(client, ("long.txt", long))
    batch = await client.vector_stores.file_batches.create(store.id, file_ids=[done.id, slow.id])
    cancelled = await client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert (cancelled.file_counts.completed, cancelled.file_counts.cancelled) == (1, 1)
    assert await texts(client, store.id, "When does the office open?")


async def test_lists_are_read_page_by_page(client: openai.AsyncOpenAI) -> None:
    files = [await uploaded(client, (f"{n}.txt", b"%d" % n)) for n in range(5)]
    listed = [file.id async for file in client.files.list(limit=2, order="asc")]
    assert listed == [file.id for file in files]
    newest = await client.files.list(limit=2)
    assert [file.id for file in newest.data] == [files[4].id, files[3].id]


async def test_a_list_may_be_read_while_its_items_go(client: openai.AsyncOpenAI) -> None:
    for _ in range(4):
        await client.vector_stores.create()
    files = [await uploaded(client, (f"{n}.txt", b"%d" % n)) for n in range(7)]
    async for store in client.vector_stores.list(limit=2):
        await client.vector_stores.delete(store.id)
    seen = []
    async for file in client.files.list(limit=2):
        seen.append(file.id)
        await client.files.delete(file.id)
    assert seen == [file.id for file in reversed(files)]
    assert (await client.vector_stores.list()).data == []


async def test_a_list_of_files_by_state_is_read_while_states_change(client: openai.AsyncOpenAI) -> None:
    store = await client.vector_stores.create()
    for n in range(12):
        file = await uploaded(client, (f"{n}.txt", f"Rule {n} is a rule.".encode()))
        await client.vector_stores.files.create(store.id, file_id=file.id)
    for status in ("in_progress", "completed"):
        listed = [each.id async for each in client.vector_stores.files.list(store.id, filter=status, limit=3)]
        assert len(listed) == len(set(listed)) <= 12


async def test_an_upload_over_the_limit_is_refused_in_words_however_large_it_is(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await uploaded(client, ("large.txt", b"x" * 60_000_000))
    assert refused.value.status_code == 413


@pytest.mark.parametrize("name", ["vs_", "vs_" + "x" * 100, "vs_a.b"])
async def test_a_search_in_what_is_no_store_is_refused(client: openai.AsyncOpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.vector_stores.search(name, query="a")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"type": "eq", "key": "filename", "value": 5}, 0),
        ({"type": "ne", "key": "filename", "value": 5}, 1),
        ({"type": "in", "key": "file_id", "value": [1, 2]}, 0),
        ({"type": "nin", "key": "filename", "value": [1, "other.md"]}, 1),
        ({"type": "gt", "key": "filename", "value": 1}, 0),
    ],
)
async def test_a_name_is_a_text(client: openai.AsyncOpenAI, filters: dict[str, object], count: int) -> None:
    store = await client.vector_stores.create()
    await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=PLANS)
    page = await client.vector_stores.search(store.id, query="Basic plan", filters=filters)  # type: ignore[arg-type]
    assert len({item.file_id for item in page.data}) == count
