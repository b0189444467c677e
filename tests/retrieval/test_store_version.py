"""Which Milvus is refused, and how that is said."""

import pytest
from pymilvus import MilvusClient

from retrieval.errors import StoreUnsupportedError
from retrieval.store import Store
from retrieval.store.version import has_sparse_vectors, unsupported
from tests.retrieval.embedders import DIMENSIONS


@pytest.mark.parametrize("version", ["milvus_lite-3.2.2", "v2.4.0", "2.6.1", "v3.0.1", "v10.0.0", "a build of today"])
def test_a_version_with_sparse_vectors_is_used(version: str) -> None:
    assert unsupported(version) == ""
    assert has_sparse_vectors(version)


@pytest.mark.parametrize("version", ["v2.3.5-lite", "2.3.0"])
def test_a_version_without_sparse_vectors_is_used_without_them(version: str) -> None:
    assert unsupported(version) == ""
    assert not has_sparse_vectors(version)


@pytest.mark.parametrize("version", ["2.2.16", "milvus_lite-2.5.1", "v1.1.1"])
def test_an_older_version_is_refused(version: str) -> None:
    assert f"{version} is too old: use Milvus 2.4" in unsupported(version)


def test_an_old_server_is_named_at_every_call_and_nothing_is_written_to_it(
    milvus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MilvusClient, "get_server_version", lambda *_args, **_options: "v2.2.16")
    store = Store(milvus, dimension=DIMENSIONS, timeout=20)
    for _call in range(2):
        with pytest.raises(StoreUnsupportedError, match=r"v2\.2\.16 is too old"):
            store.tenants()
