"""A site as documents: it appears, follows its changes, and leaves."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import openai
import pytest

from tests.retrieval.documents.platform import LIMITS, Documents
from tests.retrieval.web.server import Server, serving

Look = Callable[[], Awaitable[dict[str, Any]]]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as made:
        yield made


@pytest.fixture
async def api(platform: Documents, tenant: str) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {platform.keys[f'{tenant}-all']}"}
    async with aiohttp.ClientSession(platform.url, headers=headers) as session:
        yield session


async def called(api: aiohttp.ClientSession, method: str, path: str, **body: object) -> dict[str, Any]:
    async with api.request(method, path, json=body or None) as answer:
        found: dict[str, Any] = await answer.json()
        return found | {"http": answer.status}


async def until_looked(api: aiohttp.ClientSession, path: str, since: int = 0) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        source = await called(api, "GET", path)
        if source["looked_at"] and source["next_look_at"] > since:
            return source
        assert time.monotonic() < deadline, source
        await asyncio.sleep(0.1)


async def followed(client: openai.AsyncOpenAI, api: aiohttp.ClientSession, url: str) -> tuple[str, str]:
    """A new store with a web source: its id, and the path of the source."""
    store = (await client.vector_stores.create()).id
    sources = f"/v1/vector_stores/{store}/web_sources"
    return store, f"{sources}/{(await called(api, 'POST', sources, url=url))['id']}"


async def looked_again(api: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    before = await called(api, "POST", f"{path}/look")
    return await until_looked(api, path, before["next_look_at"])


async def found(client: openai.AsyncOpenAI, store: str, query: str) -> list[str]:
    """Texts of the passages, once all documents are ready."""
    while (await client.vector_stores.retrieve(store)).file_counts.in_progress:  # noqa: ASYNC110  # of another process
        await asyncio.sleep(0.05)
    page = await client.vector_stores.search(store, query=query)
    return [part.text for item in page.data for part in item.content]


async def test_a_site_is_indexed_follows_its_changes_and_leaves(
    client: openai.AsyncOpenAI, api: aiohttp.ClientSession, server: Server
) -> None:
    server.put("/help/", '<p>Welcome to the help pages.</p><a href="prices">Prices</a>')
    server.put("/help/prices", "<p>The Velmora Basic plan costs 30 euros a month.</p>")
    store = (await client.vector_stores.create()).id
    sources = f"/v1/vector_stores/{store}/web_sources"
    added = await called(api, "POST", sources, url=f"{server.url}/help/", depth=1)
    source = f"{sources}/{added['id']}"
    assert (await until_looked(api, source))["pages"] == 2
    assert any("30 euros" in text for text in await found(client, store, "What does Basic cost?"))
    (item,) = [each for each in (await client.vector_stores.search(store, query="What does Basic cost?")).data
               if "euros" in each.content[0].text]  # fmt: skip
    assert item.attributes == {"url": f"{server.url}/help/prices"}
    server.put("/help/prices", "<p>The Velmora Basic plan costs 31 euros a month.</p>")
    await looked_again(api, source)
    async with asyncio.timeout(60):  # the worker may not have begun with the page yet
        while not any("31 euros" in text for text in await found(client, store, "What does Basic cost?")):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert not any("30 euros" in text for text in await found(client, store, "What does Basic cost?"))
    server.put("/help/prices", status=404)
    await looked_again(api, source)
    assert any("31 euros" in text for text in await found(client, store, "What does Basic cost?"))
    assert (await looked_again(api, source))["pages"] == 1
    assert not any("31 euros" in text for text in await found(client, store, "What does Basic cost?"))
    assert (await called(api, "DELETE", source))["deleted"] is True
    assert (await client.files.list()).data == []


async def test_what_cannot_be_read_is_said_and_what_was_read_stays(
    client: openai.AsyncOpenAI, api: aiohttp.ClientSession, server: Server
) -> None:
    server.put("/", "<p>The office opens at nine.</p>")
    store, source = await followed(client, api, server.url)
    assert (await until_looked(api, source))["message"] == ""
    server.put("/", status=500)
    assert "answered 500" in (await looked_again(api, source))["message"]
    assert await found(client, store, "When does the office open?")


async def test_a_deleted_store_takes_its_pages_with_it(
    client: openai.AsyncOpenAI, api: aiohttp.ClientSession, server: Server
) -> None:
    server.put("/", "<p>The office opens at nine.</p>")
    store, source = await followed(client, api, server.url)
    await until_looked(api, source)
    await client.vector_stores.delete(store)
    assert (await called(api, "GET", source))["http"] == 404
    assert (await client.files.list()).data == []


async def test_the_same_page_in_two_stores_is_two_documents(
    client: openai.AsyncOpenAI, api: aiohttp.ClientSession, server: Server
) -> None:
    server.put("/", "<p>The office opens at nine.</p>")
    pairs = [await followed(client, api, server.url) for _ in range(2)]
    for _, path in pairs:
        await until_looked(api, path)
    await called(api, "DELETE", pairs[0][1])
    assert await found(client, pairs[1][0], "When does the office open?")


async def test_a_tenants_limit_holds_for_pages(
    platform: Documents, client: openai.AsyncOpenAI, api: aiohttp.ClientSession, server: Server, tenant: str
) -> None:
    await platform.desire({tenant: LIMITS | {"max_files": 0}})
    server.put("/", "<p>The office opens at nine.</p>")
    _, source = await followed(client, api, server.url)
    assert "maxFiles" in (await until_looked(api, source))["message"]


async def test_another_tenants_web_sources_are_out_of_reach(
    platform: Documents, client: openai.AsyncOpenAI, api: aiohttp.ClientSession, tenant: str
) -> None:
    store = (await client.vector_stores.create()).id
    sources = f"/v1/vector_stores/{store}/web_sources"
    source = f"{sources}/{(await called(api, 'POST', sources, url='http://127.0.0.1:1/'))['id']}"
    headers = {"Authorization": f"Bearer {platform.keys[f'{tenant}-x-all']}"}
    async with aiohttp.ClientSession(platform.url, headers=headers) as stranger:
        for method, path in (("GET", sources), ("POST", sources), ("GET", source), ("DELETE", source),
                             ("POST", f"{source}/look")):  # fmt: skip
            body = {"url": "http://127.0.0.1:1/"} if (method, path) == ("POST", sources) else {}
            assert (await called(stranger, method, path, **body))["http"] == 404


async def test_an_address_that_is_no_page_is_refused(client: openai.AsyncOpenAI, api: aiohttp.ClientSession) -> None:
    store = (await client.vector_stores.create()).id
    for url in ("file:///etc/passwd", "http://user:word@a.example/", "nothing"):
        refused = await called(api, "POST", f"/v1/vector_stores/{store}/web_sources", url=url)
        assert (refused["http"], "no address of a page" in refused["error"]["message"]) == (400, True)


def _object(tenant: str, *urls: str, every_minutes: int = 1_440) -> dict[str, Any]:
    web = [{"url": url, "depth": 0, "most_pages": 10, "every_minutes": every_minutes} for url in urls]
    return {"tenant": tenant, "name": "site", "sources": [], "web": web}


async def _reported(platform: Documents, tenant: str) -> list[dict[str, Any]]:
    """What the operator hears of the object's web sources."""
    async with platform.session.get(f"{platform.ingest_url}/v1/knowledge-bases") as answer:
        bases = (await answer.json())["knowledge_bases"]
    return [source for base in bases if base["tenant"] == tenant for source in base["web"]]


async def test_the_web_sources_of_an_object_are_followed_as_its_spec_says(
    platform: Documents, tenant: str, client: openai.AsyncOpenAI, api: aiohttp.ClientSession, server: Server
) -> None:
    server.put("/fees", "<p>The late fee of Velmora is 5 euros.</p>")
    server.put("/hours", "<p>The office opens at nine.</p>")
    fees, hours, bad = f"{server.url}/fees", f"{server.url}/hours", "http://no host/"
    await platform.desire({tenant: LIMITS}, _object(tenant, fees, hours, bad))
    sources = "/v1/vector_stores/vs_site/web_sources"
    async with asyncio.timeout(60):
        while not all(source["looked_at"] for source in await _reported(platform, tenant)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    reported = {source["url"]: source for source in await _reported(platform, tenant)}
    assert {url: source["pages"] for url, source in reported.items()} == {fees: 1, hours: 1, bad: 0}
    assert [bool(reported[url]["message"]) for url in (fees, hours, bad)] == [False, False, True]
    assert any("5 euros" in text for text in await found(client, "vs_site", "What is the late fee?"))

    listed = {each["url"]: each for each in (await called(api, "GET", sources))["data"]}
    assert {each["managed"] for each in listed.values()} == {True}
    refused = await called(api, "DELETE", f"{sources}/{listed[fees]['id']}")
    assert (refused["http"], "spec" in refused["error"]["message"]) == (409, True)

    await platform.desire({tenant: LIMITS}, _object(tenant, hours, every_minutes=60))
    after = (await called(api, "GET", sources))["data"]
    assert [(each["id"], each["every_minutes"]) for each in after] == [(listed[hours]["id"], 60)]
    assert not any("5 euros" in text for text in await found(client, "vs_site", "What is the late fee?"))

    kept = _object(tenant) | {"kept": True}
    await platform.desire({tenant: LIMITS}, kept)
    assert len((await called(api, "GET", sources))["data"]) == 1
