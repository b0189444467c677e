"""A deletion leaves a signed record: what was searched for afterwards, and found nowhere."""

import base64
import json
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from retrieval.documents.signing import Signer
from tests.retrieval.documents.platform import Documents
from tests.retrieval.documents.test_client import PLANS


async def record(platform: Documents, key: str, deletion: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {platform.keys[key]}"}
    url = f"{platform.url}/v1/deletions/{deletion}"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        found: dict[str, Any] = await answer.json()
        return found | {"http": answer.status}


def verify(shown: dict[str, Any]) -> None:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(shown["public_key"]))
    key.verify(base64.b64decode(shown["signature"]), shown["statement"].encode())


async def test_the_findings_of_a_search_afterwards_are_signed(
    platform: Documents, client: openai.AsyncOpenAI, tenant: str
) -> None:
    store = await client.vector_stores.create(name="Help")
    file = await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=PLANS)
    of_file = (await client.files.delete(file.id)).model_extra or {}
    of_store = (await client.vector_stores.delete(store.id)).model_extra or {}
    assert (of_file["erased"], of_store["erased"]) == (True, True)
    shown = await record(platform, f"{tenant}-all", of_file["deletion"])
    verify(shown)
    said = json.loads(shown["statement"])
    assert (said["subject"], shown["name"], said["tenant"]) == (file.id, "plans.md", tenant)
    assert said["findings"] == {"passages": 0, "progress": 0, "records": 0, "bytes": 0}
    verify(await record(platform, f"{tenant}-all", of_store["deletion"]))
    with pytest.raises(InvalidSignature):
        verify(shown | {"statement": shown["statement"].replace(file.id, "file-another")})


async def test_a_record_is_its_tenants_alone(platform: Documents, client: openai.AsyncOpenAI, tenant: str) -> None:
    file = await client.files.create(file=PLANS, purpose="assistants")
    deletion = ((await client.files.delete(file.id)).model_extra or {})["deletion"]
    assert (await record(platform, f"{tenant}-x-all", deletion))["http"] == 404
    assert (await record(platform, f"{tenant}-ask", deletion))["http"] == 403


def test_the_key_stays_the_same_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    assert Signer(path).public_key == Signer(path).public_key
    assert path.stat().st_mode & 0o077 == 0
