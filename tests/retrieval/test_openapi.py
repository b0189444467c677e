"""The search service and the ingest worker serve a true description of themselves."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pydantic import SecretStr

from retrieval import app as search
from retrieval.ingest import app as ingest
from retrieval.ingest.settings import Settings as IngestSettings
from retrieval.settings import Settings as SearchSettings
from tests.retrieval.conftest import Serve
from tests.service.described import TOKEN, undocumented_answers


def test_no_search_made_from_the_description_gets_an_undocumented_answer(
    milvus: str, model: Path, serve: Serve, tmp_path: Path
) -> None:
    settings = SearchSettings(token=SecretStr(TOKEN), milvus_uri=milvus, embedder=str(model), milvus_timeout_seconds=20)

    def address(_folder: Path) -> AbstractAsyncContextManager[str]:
        return serve(lambda: search.create_app(settings))

    assert undocumented_answers(address, tmp_path) == []


def test_no_request_to_the_worker_made_from_its_description_gets_an_undocumented_answer(
    milvus: str, model: Path, serve: Serve, tmp_path: Path
) -> None:
    settings = IngestSettings(
        token=SecretStr(TOKEN), milvus_uri=milvus, embedder=str(model), ledger=tmp_path / "ledger.db",
        database=SecretStr(f"sqlite:///{tmp_path}/records.db"), objects=str(tmp_path / "objects"),
        signing_file=tmp_path / "deletions.pem",
        milvus_timeout_seconds=20,
    )  # fmt: skip

    def address(_folder: Path) -> AbstractAsyncContextManager[str]:
        return serve(lambda: ingest.create_app(settings))

    assert undocumented_answers(address, tmp_path) == []
