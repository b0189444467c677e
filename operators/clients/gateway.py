"""Speaks HTTP to a gateway's internal port."""

from collections.abc import Collection, Sequence
from typing import TypeVar

import aiohttp

from contract.gateway import BaseUses, GatewayState, KeyUses
from contract.value import Value
from operators.clients.errors import peer_errors, within

Answer = TypeVar("Answer", bound=Value)


class GatewayClient:
    """Raises PeerError when the gateway gives no answer, or an unexpected one."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def state(self, adapters: Collection[str] | None = None) -> GatewayState:
        """About these adapters (TENANT.ADAPTER) alone, or about all."""
        return await self._get("/v1/state", GatewayState, [("adapter", name) for name in adapters or ()])

    async def key_uses(self) -> KeyUses:
        return await self._get("/v1/key-uses", KeyUses, [])

    async def base_uses(self) -> BaseUses:
        return await self._get("/v1/base-uses", BaseUses, [])

    async def _get(self, path: str, kind: type[Answer], query: Sequence[tuple[str, str]]) -> Answer:
        with peer_errors("gateway"):
            async with self._session.get(
                f"{self._url}{path}", params=query, headers=self._headers, timeout=within()
            ) as response:
                response.raise_for_status()
                return kind.model_validate_json(await response.read())
