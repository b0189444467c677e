"""The two commands as they are run: settings from the environment, work done, ended by SIGTERM."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from operators.local.layout import free_port
from tests.retrieval.conftest import HEADERS, TOKEN, listening, python, wait_until


@contextmanager
def running(module: str, prefix: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    named = {f"{prefix}{name.upper()}": value for name, value in environment.items()}
    named |= {f"{prefix}PORT": str(port), f"{prefix}TOKEN": TOKEN}
    with subprocess.Popen(python("-m", module), env=os.environ | named, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: listening(port) or process.poll() is not None, seconds=90)
            assert process.poll() is None
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def files(folder: Path) -> dict[str, str]:
    """The settings of what the ingest worker writes."""
    return {
        "ledger": str(folder / "ledger.db"),
        "database": f"sqlite:///{folder}/records.db",
        "objects": str(folder / "objects"),
        "signing_file": str(folder / "deletions.pem"),
    }


def call(method: str, url: str, body: object = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, HEADERS, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_a_file_in_a_directory_becomes_evidence(milvus: str, model: Path, tmp_path: Path, tenant: str) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "plans.md").write_text("# Plans\n\nThe Velmora Basic plan has a refund window of 30 days.")
    common = {"milvus_uri": milvus, "embedder": str(model), "milvus_timeout_seconds": "20"}
    with (
        running("retrieval.ingest", "QUIVER_INGEST_", **files(tmp_path), **common) as (ingest, worker),
        running("retrieval", "QUIVER_RETRIEVAL_", **common) as (retrieval, searcher),
    ):
        wanted = {"tenant": tenant, "name": "docs", "sources": [{"path": str(source)}]}
        call("PUT", f"{ingest}/v1/knowledge-bases", {"knowledge_bases": [wanted]})
        wait_until(lambda: call("GET", f"{ingest}/v1/knowledge-bases")["knowledge_bases"][0]["ready"])
        question = "What is the refund window of the Velmora Basic plan?"
        answer = call(
            "POST", f"{retrieval}/v1/search", {"tenant": tenant, "knowledge_bases": ["docs"], "query": question}
        )
        assert answer["outcome"] == "evidence"
        assert (answer["evidence"][0]["document"], answer["evidence"][0]["heading"]) == ("plans.md", "Plans")
        for process in (worker, searcher):
            process.terminate()
            process.wait(timeout=15)


def test_a_milvus_that_is_not_there_is_named_with_what_to_do(model: Path, tmp_path: Path) -> None:
    common = {"milvus_uri": f"http://127.0.0.1:{free_port()}", "embedder": str(model), "milvus_timeout_seconds": "1"}
    with (
        running("retrieval.ingest", "QUIVER_INGEST_", **files(tmp_path), **common) as (ingest, _),
        running("retrieval", "QUIVER_RETRIEVAL_", **common) as (retrieval, _),
    ):
        wait_until(lambda: common["milvus_uri"] in call("GET", f"{ingest}/v1/knowledge-bases")["message"])
        for url in (ingest, retrieval):
            with pytest.raises(urllib.error.HTTPError, match="503") as refused:
                call("GET", f"{url}/readyz")
            said = refused.value.read().decode()
            assert common["milvus_uri"] in said
            assert "check that it runs, is reachable, and accepts the configured token" in said


def test_a_missing_setting_is_named_and_ends_the_start() -> None:
    done = subprocess.run([sys.executable, "-m", "retrieval"], env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "milvus_uri" in done.stderr
