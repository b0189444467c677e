"""Speaks HTTP to the drift detector."""

import aiohttp

from contract.drift import DriftReport, Tenants
from operators.clients.errors import peer_errors, within


class DriftClient:
    """Raises PeerError when the detector gives no answer, or an unexpected one."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def register(self, tenants: Tenants) -> None:
        """Sends the complete set of tenants; the detector removes all others."""
        with peer_errors("drift"):
            body = tenants.model_dump_json()
            url = f"{self._url}/v1/tenants"
            async with self._session.put(url, data=body, headers=self._headers, timeout=within()) as response:
                response.raise_for_status()

    async def report(self) -> DriftReport:
        """The verdict on each signal of each tenant."""
        with peer_errors("drift"):
            url = f"{self._url}/v1/drift"
            async with self._session.get(url, headers=self._headers, timeout=within()) as response:
                response.raise_for_status()
                return DriftReport.model_validate_json(await response.read())
