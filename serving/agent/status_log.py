"""The newest status of an agent, and which of its entries changed when: a caller gets what it has not seen."""

from collections import OrderedDict

from contract.agent import AdapterReport, AgentStatus, VersionName
from service.changes import Changes

# So many removed versions are remembered; a caller that missed more gets the complete status.
MOST_REMOVED = 10_000


class StatusLog:
    """`value` is None until the first status. Set it in the event loop only."""

    def __init__(self) -> None:
        self.value: AgentStatus | None = None
        self.changes = Changes()
        self._first = self.changes.number
        """Callers that have seen an older status get the complete one."""
        self._entries: dict[VersionName, AdapterReport] = {}
        self._changed: dict[VersionName, int] = {}
        self._removed: OrderedDict[VersionName, int] = OrderedDict()

    def set(self, status: AgentStatus) -> None:
        if status == self.value:
            return
        self.value = status
        self.changes.add()
        number = self.changes.number
        entries = {entry.version_name: entry for entry in status.adapters}
        changed = [name for name, entry in entries.items() if self._entries.get(name) != entry]
        removed = self._entries.keys() - entries.keys()
        for name in (*changed, *removed):
            self._changed.pop(name, None)
            self._removed.pop(name, None)
        self._changed |= dict.fromkeys(changed, number)
        self._removed |= dict.fromkeys(removed, number)
        self._entries = entries
        while len(self._removed) > MOST_REMOVED:
            self._first = self._removed.popitem(last=False)[1]

    def since(self, seen: int) -> AgentStatus | None:
        """What changed after a version of this log; otherwise the complete status."""
        if self.value is None:
            return None
        number = self.changes.number
        if not self._first <= seen <= number:
            return self.value.model_copy(update={"version": number})
        changed = (name for name, at in self._changed.items() if at > seen)
        return self.value.model_copy(
            update={
                "version": number,
                "since": seen,
                "adapters": tuple(self._entries[name] for name in changed),
                "removed": tuple(name for name, at in self._removed.items() if at > seen),
            }
        )
