from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest

from tests.retrieval.conftest import Serve
from tests.retrieval.documents.platform import Documents, documents


@pytest.fixture
async def platform(serve: Serve, milvus: str, model: Path, tmp_path: Path, tenant: str) -> AsyncIterator[Documents]:
    async with documents(serve, milvus, model, tmp_path, (tenant, f"{tenant}-x")) as running:
        yield running


@pytest.fixture
async def client(platform: Documents, tenant: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with platform.client(f"{tenant}-all") as made:
        yield made


@pytest.fixture
async def stranger(platform: Documents, tenant: str) -> AsyncIterator[openai.AsyncOpenAI]:
    """Another tenant's client."""
    async with platform.client(f"{tenant}-x-all") as made:
        yield made
