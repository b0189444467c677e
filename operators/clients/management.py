"""Speaks to the management API as a tenant's people do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contract.fine_tune import UPLOAD
from operators.clients.documents import DocumentsClient
from operators.clients.public_client import Object, PublicClient, RefusedError


class ManagementClient:
    """`identity` is the caller's: actor, tenant, role and scopes. All methods raise RefusedError."""

    def __init__(self, client: PublicClient, identity: Object) -> None:
        self._client, self.identity = client, identity

    @classmethod
    async def of(cls, client: PublicClient) -> "ManagementClient":
        """Asks for the identity behind the client's key. Raises RefusedError."""
        return cls(client, await client.answer("GET", "/v1/session"))

    async def get(self, path: str) -> Object:
        """An object of the tenant, such as `usage`."""
        return await self._client.answer("GET", self._of_tenant(path))

    async def rows(self, path: str) -> list[Object]:
        """A list of the tenant, such as `keys`."""
        return list((await self.get(path))["data"])

    async def decide(self, adapter: str, action: str, digest: str | None) -> Object:
        """Against the version that is active now. Answers once every replica follows."""
        path = f"adapters/{quote(adapter, safe='')}"
        active = (await self.get(path))["status"].get("active")
        body = {"against": active["digest"] if active else None, "digest": digest}
        return await self._client.answer("POST", self._of_tenant(f"{path}/{action}"), json=body)

    async def make_key(self, body: Mapping[str, Any]) -> Object:
        return await self._client.answer("POST", self._of_tenant("keys"), json=body)

    async def revoke_key(self, name: str) -> Object:
        return await self._client.answer("DELETE", self._of_tenant(f"keys/{quote(name, safe='')}"))

    async def begin_training(self, name: str, file: Path, spec: Mapping[str, Any]) -> Object:
        """Uploads the file as the training's data. `spec` is that of a FineTune, without data."""
        uploaded = await DocumentsClient(self._client).upload(file, "fine-tune")
        body = {"name": name, "spec": {**spec, "data": {"source": f"{UPLOAD}{uploaded['id']}"}}}
        return await self._client.answer("POST", self._of_tenant("fine_tunes"), json=body)

    async def remove_training(self, name: str) -> Object:
        return await self._client.answer("DELETE", self._of_tenant(f"fine_tunes/{quote(name, safe='')}"))

    def _of_tenant(self, path: str) -> str:
        tenant = self.identity["tenant"]
        if tenant is None:
            raise RefusedError("This is the platform's own key, of no tenant: give a key of the tenant.")
        return f"/v1/tenants/{tenant}/{path}"
