"""Tells an agent its desired set: the complete one at first and after a failure, otherwise what changed."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Protocol

from contract.agent import AdapterName, DesiredChange, DesiredSet, set_digest
from operators.clients.latest_pusher import LatestPusher
from operators.desired.desired_items import DesiredItems, Items, Residents


class Agent(Protocol):
    def desire(self, desired: DesiredSet) -> Awaitable[None]: ...

    def change(self, change: DesiredChange) -> Awaitable[bool]:
        """False if the agent has another set than the one before the change."""
        ...


@dataclass(frozen=True)
class _Sent:
    digest: str
    residents: Residents | None


class DesiredPusher:
    """`run` sends; an agent without an answer is asked again."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._desired = DesiredItems({}, total=0)
        self._before: dict[AdapterName, Items] = {}
        """What the agent was sent of adapters that changed since."""
        self._sent: _Sent | None = None
        """What the agent has, if it has confirmed it."""
        self._pusher: LatestPusher[str] = LatestPusher(self._send)

    def set(self, desired: DesiredItems) -> None:
        old, new = self._desired.by_adapter, desired.by_adapter
        for name in old.keys() | new.keys() if desired.changed is None else desired.changed:
            if (before := old.get(name, ())) != new.get(name, ()):
                self._before.setdefault(name, before)
        self._desired = desired
        self._pusher.set(set_digest(desired.total, desired.residents))

    def repeat(self) -> None:
        """Sends the set again: the agent may have restarted."""
        self._pusher.repeat()

    async def run(self) -> None:
        """Runs until cancelled."""
        await self._pusher.run()

    async def _send(self, digest: str) -> None:
        """Raises PeerError; then the complete set is sent the next time."""
        sent, self._sent = self._sent, None
        before, self._before = self._before, {}
        desired = self._desired
        change = _change(sent, digest, before, desired) if sent else None
        if change is None or not await self._agent.change(change):
            await self._agent.desire(desired.complete)
        self._sent = _Sent(digest, desired.residents)


def _change(
    sent: _Sent, digest: str, before: Mapping[AdapterName, Items], desired: DesiredItems
) -> DesiredChange | None:
    """None where a change cannot say it: whether there is room for all became another fact."""
    if (sent.residents is None) != (desired.residents is None):
        return None
    had = {item.version_name: item for items in before.values() for item in items}
    has = {item.version_name: item for name in before for item in desired.by_adapter.get(name, ())}
    old, new = sent.residents or frozenset(), desired.residents or frozenset()
    return DesiredChange.model_construct(
        before=sent.digest,
        after=digest,
        adapters=tuple(item for name, item in has.items() if had.get(name) != item),
        removed=tuple(name for name in had if name not in has),
        new_residents=tuple(sorted(new - old)),
        former_residents=tuple(sorted(old - new)),
    )
