"""The place of objects, as the management API uses it: a directory on one machine, or a cluster."""

from collections.abc import Sequence
from typing import Literal, Protocol

from contract.adapter import Decision
from contract.api_key import APIKey
from contract.fine_tune import FineTune
from contract.objects import Objects
from contract.resource import Key
from contract.snapshot import Snapshot

Action = Literal["Promote", "Rollback"]
Own = APIKey | FineTune
"""The kinds of objects for a tenant's people to make and remove."""
NOUNS = {"APIKey": "key", "FineTune": "training"}


def is_listed(item: Own, objects: Objects) -> bool:
    same_kind: Sequence[Own] = objects.api_keys if isinstance(item, APIKey) else objects.fine_tunes
    return any(each.key == item.key for each in same_kind)


class Place(Protocol):
    async def snapshot(self) -> Snapshot:
        """All objects with their statuses, as they are now."""

    async def add(self, item: Own) -> None:
        """Returns once it is in force. Raises ConflictError if the name is in use."""

    async def remove(self, item: Own) -> None:
        """Returns once the platform follows without it. Raises ConflictError if it cannot be removed here."""

    async def decide(self, adapter: Key, action: Action, *, against: str | None, digest: str | None) -> Decision:
        """Writes a decision by hand. Raises InvalidRequestError for an invalid digest."""

    @property
    def is_complete(self) -> bool:
        """True if every object could be read. Otherwise a missing one may be there."""

    async def fault(self) -> str:
        """Why objects cannot be read, "" if they can."""
