"""Speaks HTTP to the drift detector."""

from collections.abc import Sequence

import aiohttp

from operators.clients.errors import translated


class DriftClient:
    """Raises NeighbourError when the detector does not answer as agreed."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def register(self, tenants: Sequence[str]) -> None:
        """The complete set of tenants; what was kept of any other is removed."""
        with translated("drift"):
            body = {"tenants": list(tenants)}
            async with self._session.put(f"{self._url}/v1/tenants", json=body, headers=self._headers) as response:
                response.raise_for_status()
