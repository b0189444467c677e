"""Speaks HTTP to the ingest worker."""

import aiohttp

from contract.ingest import DesiredKnowledgeBases, IngestStatus
from operators.clients.errors import ANSWER_S, peer_errors, within

LONGEST_WAIT_S = 5.0


class IngestClient:
    """All methods raise PeerError when the worker gives no answer, or an unexpected one."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = f"{url}/v1/knowledge-bases"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def desire(self, desired: DesiredKnowledgeBases) -> None:
        with peer_errors("ingest"):
            body = desired.model_dump_json()
            async with self._session.put(self._url, data=body, headers=self._headers, timeout=within()) as response:
                response.raise_for_status()

    async def status(self, *, since: int, wait_s: float = LONGEST_WAIT_S) -> IngestStatus:
        """The status, once its revision differs from `since`, or unchanged after `wait_s` seconds."""
        with peer_errors("ingest"):
            query = {"seen": str(since), "wait": str(wait_s)}
            limit = within(wait_s + ANSWER_S)
            async with self._session.get(self._url, params=query, headers=self._headers, timeout=limit) as response:
                response.raise_for_status()
                return IngestStatus.model_validate_json(await response.read())
