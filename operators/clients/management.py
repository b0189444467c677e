"""Speaks to the management API as a tenant's people do."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from operators.clients.public_client import Object, PublicClient, RefusedError


class ManagementClient:
    """Of the tenant whose key the client has. All methods raise RefusedError."""

    def __init__(self, client: PublicClient) -> None:
        self._client = client

    async def who(self) -> Object:
        return await self._client.answer("GET", "/v1/session")

    async def get(self, path: str) -> Object:
        """An object of the tenant, such as `usage`."""
        return await self._client.answer("GET", await self._of_tenant(path))

    async def rows(self, path: str) -> list[Object]:
        """A list of the tenant, such as `keys`."""
        return list((await self.get(path))["data"])

    async def decide(self, adapter: str, action: str, digest: str | None) -> Object:
        """Against the version that is active now. Answers once every replica follows."""
        path = f"adapters/{quote(adapter, safe='')}"
        active = (await self.get(path))["status"].get("active")
        body = {"against": active["digest"] if active else None, "digest": digest}
        return await self._client.answer("POST", await self._of_tenant(f"{path}/{action}"), json=body)

    async def make_key(self, body: Mapping[str, Any]) -> Object:
        return await self._client.answer("POST", await self._of_tenant("keys"), json=body)

    async def revoke_key(self, name: str) -> Object:
        return await self._client.answer("DELETE", await self._of_tenant(f"keys/{quote(name, safe='')}"))

    async def _of_tenant(self, path: str) -> str:
        tenant = (await self.who())["tenant"]
        if tenant is None:
            raise RefusedError("This is the platform's own key, of no tenant: give a key of the tenant.")
        return f"/v1/tenants/{tenant}/{path}"
