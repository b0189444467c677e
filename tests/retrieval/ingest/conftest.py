"""The worker of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.store import Store
from tests.retrieval.ingest.bench import Bench


@pytest.fixture
def bench(
    store: Store, embedder: SentenceEncoder, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    made = Bench(store, embedder, tenant, tmp_path)
    embed = embedder.embed

    def counted(texts: list[str]) -> object:
        made.embedded.extend(texts)
        return embed(texts)

    monkeypatch.setattr(embedder, "embed", counted)
    yield made
    made.ledger.close()
