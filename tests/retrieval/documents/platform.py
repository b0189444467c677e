"""A gateway, an ingest worker and a search sidecar for tests: real applications on a real store, without an engine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import openai
from pydantic import SecretStr

from contract.api_key import APIKey, APIKeySpec, Scope, key_digest, key_from_entropy
from contract.names import API_VERSION
from contract.objects import collect
from contract.resource import Metadata
from contract.snapshot import Snapshot
from contract.tenant import Tenant, TenantSpec
from retrieval import app as search
from retrieval.ingest import app as ingest
from retrieval.ingest.settings import Settings as IngestSettings
from retrieval.settings import Settings as SearchSettings
from serving.gateway.settings import Settings
from tests.retrieval.conftest import HEADERS, TOKEN, Serve
from tests.serving.gateway.running import gateway

BOTH: frozenset[Scope] = frozenset({"inference", "documents"})
LIMITS = {"max_bytes": 10_000_000, "max_files": 50, "max_vector_stores": 5}


@dataclass(frozen=True)
class Documents:
    """`keys` are by name of the key; its tenant is the part before the dash."""

    url: str
    ingest_url: str
    keys: Mapping[str, str]
    session: aiohttp.ClientSession

    def client(self, key: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.keys[key], max_retries=0, timeout=60)

    async def desire(self, tenants: Mapping[str, Mapping[str, int]], *knowledge_bases: Mapping[str, object]) -> None:
        """As the operator does."""
        named = [{"name": name, **limits} for name, limits in tenants.items()]
        body = {"knowledge_bases": knowledge_bases, "tenants": named}
        async with self.session.put(f"{self.ingest_url}/v1/knowledge-bases", json=body) as answer:
            assert answer.status == 202, await answer.text()


@asynccontextmanager
async def documents(
    serve: Serve, milvus: str, model: Path, folder: Path, tenants: tuple[str, str]
) -> AsyncIterator[Documents]:
    """Two tenants, each with a key for everything and one that may only ask."""
    keys = {
        f"{tenant}-{use}": key_from_entropy(tenant, f"{tenant}{use}".encode().ljust(32))
        for tenant in tenants
        for use in ("all", "ask")
    }
    snapshot = folder / "snapshot.json"
    snapshot.write_text(_snapshot(tenants, keys).model_dump_json(by_alias=True))
    shared = {"token": SecretStr(TOKEN), "milvus_uri": milvus, "embedder": str(model), "milvus_timeout_seconds": 20}
    worker = IngestSettings.model_validate(
        shared
        | {
            "ledger": folder / "ledger.db",
            "database": SecretStr(f"sqlite:///{folder}/records.db"),
            "objects": str(folder / "objects"),
            "signing_file": folder / "deletions.pem",
            "max_document_bytes": 1_000_000,
            "web_allow_private": True,
            "web_delay_seconds": 0,
        }
    )
    async with (
        serve(lambda: ingest.create_app(worker)) as ingest_url,
        serve(lambda: search.create_app(SearchSettings.model_validate(shared))) as search_url,
        gateway(
            Settings(
                snapshot=snapshot,
                internal_token=SecretStr(TOKEN),
                engine_api_key=SecretStr(TOKEN),
                retrieval_url=search_url,
                retrieval_token=SecretStr(TOKEN),
                documents_url=ingest_url,
                documents_token=SecretStr(TOKEN),
            )
        ) as running,
        aiohttp.ClientSession(headers=HEADERS) as session,
    ):
        platform = Documents(running.url, ingest_url, keys, session)
        await platform.desire(dict.fromkeys(tenants, LIMITS))
        yield platform


def _snapshot(tenants: tuple[str, str], keys: Mapping[str, str]) -> Snapshot:
    owners = [
        Tenant(api_version=API_VERSION, metadata=Metadata(name=name), spec=TenantSpec(namespace=name))
        for name in tenants
    ]
    made = [
        APIKey(
            api_version=API_VERSION,
            metadata=Metadata(name=name.rpartition("-")[2], namespace=name.rpartition("-")[0]),
            spec=APIKeySpec(sha256=key_digest(key), scopes=BOTH if name.endswith("all") else frozenset({"inference"})),
        )
        for name, key in keys.items()
    ]
    return Snapshot(generation=1, objects=collect([*owners, *made]))
