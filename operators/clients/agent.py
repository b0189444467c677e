"""Speaks HTTP to an engine's agent."""

import aiohttp

from operators.api.agent import AgentStatus, DesiredSet
from operators.clients.errors import translated

LONGEST_WAIT_S = 20.0


class AgentClient:
    """All methods raise NeighbourError when the agent does not answer as agreed."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def desire(self, desired: DesiredSet) -> None:
        with translated("agent"):
            body = desired.model_dump_json(by_alias=True)
            async with self._session.put(f"{self._url}/v1/desired", data=body, headers=self._headers) as response:
                response.raise_for_status()

    async def status(self, *, seen: int, wait_s: float = LONGEST_WAIT_S) -> AgentStatus:
        """The status once it is another than the one `seen`, or after `wait_s` as it is."""
        with translated("agent"):
            query = {"seen": str(seen), "wait": str(wait_s)}
            async with self._session.get(f"{self._url}/v1/status", params=query, headers=self._headers) as response:
                response.raise_for_status()
                return AgentStatus.model_validate_json(await response.read())
