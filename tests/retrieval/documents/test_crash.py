"""Nothing that was acknowledged is lost when the worker is killed, whatever it was doing."""

import random
import time
from pathlib import Path

import httpx

from tests.retrieval.conftest import HEADERS
from tests.retrieval.test_processes import files, running

LIMITS = {"max_bytes": 10**9, "max_files": 1_000, "max_vector_stores": 10}
KILLS = 3


def settled(client: httpx.Client, store: str) -> dict[str, int]:
    deadline = time.monotonic() + 120
    while True:
        counts: dict[str, int] = client.get(f"/vector_stores/{store}").json()["file_counts"]
        if not counts["in_progress"]:
            return counts
        assert time.monotonic() < deadline, counts
        time.sleep(0.05)


def listed(client: httpx.Client, path: str) -> list[dict[str, str]]:
    page: list[dict[str, str]] = client.get(path, params={"limit": 100}).json()["data"]
    return page


def test_every_acknowledged_document_is_there_once_after_kills(
    milvus: str, model: Path, tmp_path: Path, tenant: str
) -> None:
    chance = random.Random(1)
    settings = files(tmp_path) | {"milvus_uri": milvus, "embedder": str(model), "milvus_timeout_seconds": "20"}
    acknowledged: dict[str, str] = {}
    store, number = "", 0
    for _kill in range(KILLS):
        with (
            running("retrieval.ingest", "QUIVER_INGEST_", **settings) as (url, process),
            httpx.Client(base_url=f"{url}/v1/tenants/{tenant}", headers=HEADERS, timeout=60) as client,
        ):
            desired = {"knowledge_bases": [], "tenants": [{"name": tenant, **LIMITS}]}
            assert httpx.put(f"{url}/v1/knowledge-bases", headers=HEADERS, json=desired).status_code == 202
            store = store or client.post("/vector_stores", json={}).json()["id"]
            end = time.monotonic() + chance.uniform(0.2, 2.0)
            while time.monotonic() < end:
                number += 1
                text = f"Rule {number} is about the subject {number * 7919}."
                sent = {"file": (f"{number}.txt", text.encode())}
                file = client.post("/files", data={"purpose": "assistants"}, files=sent).json()["id"]
                client.post(f"/vector_stores/{store}/files", json={"file_id": file})
                acknowledged[file] = text
            process.kill()
    with (
        running("retrieval.ingest", "QUIVER_INGEST_", **settings) as (url, _),
        httpx.Client(base_url=f"{url}/v1/tenants/{tenant}", headers=HEADERS, timeout=60) as client,
    ):
        counts = settled(client, store)
        assert (counts["completed"], counts["failed"]) == (len(acknowledged), 0)
        for file, text in acknowledged.items():
            assert client.get(f"/files/{file}/content").text == text
            content = client.get(f"/vector_stores/{store}/files/{file}/content").json()
            assert [part["text"] for part in content["data"]] == [text]
