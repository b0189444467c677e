"""The worker as a service: the desired set in, status out, files followed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from pymilvus import MilvusClient

from operators.local.layout import free_port
from retrieval.ingest import app
from retrieval.ingest.app import create_app
from retrieval.ingest.settings import Settings
from retrieval.scope import Scope
from tests.retrieval.conftest import HEADERS, TOKEN, Serve

Status = dict[str, Any]


def settings(milvus: str, model: Path, folder: Path) -> Settings:
    return Settings(
        token=SecretStr(TOKEN),
        milvus_uri=milvus,
        embedder=str(model),
        ledger=folder / "ledger.db",
        database=SecretStr(f"sqlite:///{folder}/records.db"),
        objects=str(folder / "objects"),
        signing_file=folder / "deletions.pem",
        milvus_timeout_seconds=20,
    )


@pytest.fixture
async def api(milvus: str, model: Path, serve: Serve, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serve(lambda: create_app(settings(milvus, model, tmp_path))) as url,
        aiohttp.ClientSession(url, headers=HEADERS) as session,
    ):
        yield session


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    return made


async def want(api: aiohttp.ClientSession, *knowledge_bases: dict[str, object]) -> tuple[int, Status]:
    async with api.put("/v1/knowledge-bases", json={"knowledge_bases": knowledge_bases}) as answer:
        return answer.status, await answer.json()


async def status(api: aiohttp.ClientSession, **parameters: object) -> Status:
    async with api.get(
        "/v1/knowledge-bases", params={name: str(value) for name, value in parameters.items()}
    ) as answer:
        assert answer.status == 200
        found: Status = await answer.json()
        return found


async def status_when(api: aiohttp.ClientSession, held: Callable[[Status], bool], seconds: float = 30) -> Status:
    """Follow the status by long polls until it is as wanted."""
    async with asyncio.timeout(seconds):
        found = await status(api)
        while not held(found):
            found = await status(api, seen=found["revision"], wait=10)
        return found


async def _at_work(api: aiohttp.ClientSession) -> None:
    """Until the worker has looked at its sources for the first time: from then on nothing changes by itself."""
    async with asyncio.timeout(30):
        while True:
            async with api.get("/readyz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.02)


def documents(found: Status) -> dict[str, str]:
    return {each["path"]: each["state"] for kb in found["knowledge_bases"] for each in kb["documents"]}


def ready(*paths: str) -> Callable[[Status], bool]:
    return lambda found: documents(found) == dict.fromkeys(paths, "Ready")


async def test_files_are_followed_while_they_come_change_and_go(
    api: aiohttp.ClientSession, source: Path, tenant: str
) -> None:
    (source / "a.txt").write_text("The first plan.")
    wanted: dict[str, object] = {"tenant": tenant, "name": "docs", "sources": [{"path": str(source)}]}
    code, accepted = await want(api, wanted)
    assert (code, set(accepted)) == (202, {"revision"})
    first = await status_when(api, ready("a.txt"))
    digest = first["knowledge_bases"][0]["documents"][0]["digest"]

    (source / "deep").mkdir()
    (source / "deep" / "b.md").write_text("# Plans\n\nThe second plan.")
    await status_when(api, ready("a.txt", "deep/b.md"), seconds=5)

    (source / "a.txt").write_text("The first plan, mended.")
    mended = await status_when(
        api,
        lambda found: (
            ready("a.txt", "deep/b.md")(found) and found["knowledge_bases"][0]["documents"][0]["digest"] != digest
        ),
        seconds=5,
    )
    assert mended["knowledge_bases"][0]["ready"]
    assert mended["knowledge_bases"][0]["chunks"] == 2

    (source / "a.txt").unlink()
    await status_when(api, ready("deep/b.md"), seconds=5)

    await want(api)
    await status_when(api, lambda found: found["knowledge_bases"] == [], seconds=5)


async def test_a_source_that_appears_later_is_found(api: aiohttp.ClientSession, source: Path, tenant: str) -> None:
    late = source / "late"
    await want(api, {"tenant": tenant, "name": "docs", "sources": [{"path": str(late)}]})
    missing = await status_when(api, lambda found: "No such file" in found["knowledge_bases"][0]["message"])
    assert not missing["knowledge_bases"][0]["ready"]
    late.mkdir()
    (late / "a.txt").write_text("The late plan.")
    found = await status_when(api, ready("a.txt"), seconds=15)
    assert (found["knowledge_bases"][0]["ready"], found["knowledge_bases"][0]["message"]) == (True, "")


async def test_a_worker_that_is_only_starting_is_stopped_by_nothing(api: aiohttp.ClientSession) -> None:
    assert (await status(api))["message"] == ""


async def test_a_long_poll_answers_at_once_what_was_not_seen_and_waits_for_what_was(
    api: aiohttp.ClientSession, tenant: str
) -> None:
    await _at_work(api)
    settled = await status(api)
    begun = asyncio.get_running_loop().time()
    assert (await status(api, seen=0, wait=30))["revision"] == settled["revision"]
    assert asyncio.get_running_loop().time() - begun < 5
    assert (await status(api, seen=settled["revision"], wait=0.2))["revision"] == settled["revision"]
    waiting = asyncio.create_task(status(api, seen=settled["revision"], wait=30))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await want(api, {"tenant": tenant, "name": "docs", "sources": []})
    async with asyncio.timeout(5):
        assert (await waiting)["revision"] != settled["revision"]


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        ({"tenant": ""}, "tenant"),
        ({"tenant": "é" * 40}, "knowledge_bases.1.tenant"),
        ({"name": "a\u202eb"}, "knowledge_bases.1.name"),
        ({"sources": [{"path": "/a", "url": "http://x"}]}, "url"),
        ({"chunk_tokens": 5}, "chunk_tokens"),
        ({"chunk_tokens": 1_000}, "chunk_tokens"),
    ],
)
async def test_a_bad_desired_set_is_refused_whole_and_the_field_named(
    api: aiohttp.ClientSession, tenant: str, changed: dict[str, object], fact: str
) -> None:
    good: dict[str, object] = {"tenant": tenant, "name": "docs", "sources": []}
    code, answer = await want(api, good | {"name": "other"}, good | changed)
    assert (code, answer["error"]["code"]) == (422, "invalid_request")
    assert fact in answer["error"]["message"]
    assert (await status(api))["knowledge_bases"] == []


async def test_a_source_that_is_no_absolute_path_fails_its_knowledge_base_alone(
    api: aiohttp.ClientSession, source: Path, tenant: str
) -> None:
    (source / "a.txt").write_text("The first plan.")
    good: dict[str, object] = {"tenant": tenant, "name": "docs", "sources": [{"path": str(source)}]}
    code, _ = await want(api, good, {"tenant": f"{tenant}-b", "name": "docs", "sources": [{"path": "relative"}]})
    assert code == 202
    found = await status_when(api, lambda found: ready("a.txt")(found) and found["knowledge_bases"][1]["message"] != "")
    served, failed = found["knowledge_bases"]
    assert (served["ready"], failed["ready"]) == (True, False)
    assert "The source 'relative' is not an absolute path" in failed["message"]


async def test_a_knowledge_base_listed_twice_is_refused(api: aiohttp.ClientSession, tenant: str) -> None:
    twice: dict[str, object] = {"tenant": tenant, "name": "docs", "sources": []}
    code, answer = await want(api, twice, twice)
    assert code == 422
    assert f"{tenant}/docs is listed twice" in answer["error"]["message"]


async def test_without_a_token_nothing_is_shown_or_taken(api: aiohttp.ClientSession) -> None:
    for method in ("GET", "PUT"):
        async with api.request(method, "/v1/knowledge-bases", headers={"Authorization": ""}) as answer:
            assert answer.status == 401


async def test_metrics_count_documents_by_state(api: aiohttp.ClientSession, source: Path, tenant: str) -> None:
    (source / "a.txt").write_text("The plan.")
    (source / "b.txt").touch()
    await want(api, {"tenant": tenant, "name": "docs", "sources": [{"path": str(source)}]})
    await status_when(api, lambda found: documents(found) == {"a.txt": "Ready", "b.txt": "Failed"})
    async with api.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    assert 'quiver_ingest_documents{state="Ready"} 1.0' in lines
    assert 'quiver_ingest_documents{state="Failed"} 1.0' in lines


async def test_without_a_store_it_waits_says_so_and_is_not_ready(model: Path, serve: Serve, tmp_path: Path) -> None:
    gone = settings(f"http://127.0.0.1:{free_port()}", model, tmp_path)
    async with (
        serve(lambda: create_app(gone)) as url,
        aiohttp.ClientSession(url, headers=HEADERS) as session,
    ):
        found = await status_when(session, lambda found: gone.milvus_uri in found["message"])
        assert found["knowledge_bases"] == []
        async with session.get("/readyz") as answer:
            assert answer.status == 503
        async with session.get("/healthz") as answer:
            assert answer.status == 200


def test_the_worker_reads_what_was_just_written(
    milvus: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Milvus Lite has no late reads, so that a wrong consistency would not show in it."""
    consistency: list[object] = []
    query = MilvusClient.query

    def noted(client: MilvusClient, *args: object, **options: object) -> object:
        consistency.append(options["consistency_level"])
        return query(client, *args, **options)

    monkeypatch.setattr(MilvusClient, "query", noted)
    parts = app._parts(settings(milvus, model, tmp_path), lambda: None)
    parts.pipeline.store.create(Scope("reads", ("kb",)))
    parts.close()
    assert set(consistency) == {"Strong"}
