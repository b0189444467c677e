"""Speaks HTTP to an engine's agent."""

import aiohttp

from contract.agent import AgentStatus, DesiredChange, DesiredSet
from contract.value import compacted
from operators.clients.errors import ANSWER_S, PeerError, peer_errors, within

LONGEST_WAIT_S = 5.0
# The agent has another set, or is of a release that takes no changes.
_NOT_CHANGED = frozenset({404, 405, 409})


def body_of(desired: DesiredSet) -> str:
    """Without residents, their field is left out: agents of earlier releases refuse a field that they do not have."""
    return desired.model_dump_json(by_alias=True, exclude={"residents"} if desired.residents is None else None)


class AgentClient:
    """All methods raise PeerError when the agent gives no answer, or an unexpected one."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def desire(self, desired: DesiredSet) -> None:
        with peer_errors("agent"):
            url = f"{self._url}/v1/desired"
            async with self._session.put(
                url, data=body_of(desired), headers=self._headers, timeout=within()
            ) as response:
                response.raise_for_status()

    async def change(self, change: DesiredChange) -> bool:
        """False if the agent has another set than the one before the change."""
        with peer_errors("agent"):
            body = change.model_dump_json(by_alias=True, exclude_defaults=True)
            url = f"{self._url}/v1/desired"
            async with self._session.patch(url, data=body, headers=self._headers, timeout=within()) as response:
                if response.status in _NOT_CHANGED:
                    return False
                response.raise_for_status()
                return True

    async def status(self, *, since: int, wait_s: float = LONGEST_WAIT_S) -> AgentStatus:
        """What changed in the status after version `since`, once there is a change, or after `wait_s` seconds. The
        complete status if the agent does not remember that version."""
        with peer_errors("agent"):
            query = {"seen": str(since), "wait": str(wait_s), "changes": "true"}
            limit = within(wait_s + ANSWER_S)
            url = f"{self._url}/v1/status"
            async with self._session.get(url, params=query, headers=self._headers, timeout=limit) as response:
                if response.status == 503:  # restarted, and without a first status yet
                    raise PeerError("the agent knows nothing of its engine yet")
                response.raise_for_status()
                return compacted(AgentStatus.model_validate_json(await response.read()))

    async def drained(self, limit_s: float) -> None:
        """Returns once the engine has nothing left to answer. Raises PeerError after `limit_s` seconds."""
        with peer_errors("agent"):
            async with self._session.get(f"{self._url}/drained", timeout=within(limit_s)) as response:
                response.raise_for_status()
                await response.read()
