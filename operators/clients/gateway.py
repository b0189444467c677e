"""Speaks HTTP to a gateway's internal port."""

import aiohttp

from contract.gateway import GatewayState
from operators.clients.errors import peer_errors, within


class GatewayClient:
    """Raises PeerError when the gateway gives no answer, or an unexpected one."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def state(self) -> GatewayState:
        with peer_errors("gateway"):
            url = f"{self._url}/v1/state"
            async with self._session.get(url, headers=self._headers, timeout=within()) as response:
                response.raise_for_status()
                return GatewayState.model_validate_json(await response.read())
