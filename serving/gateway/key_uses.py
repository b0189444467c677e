"""When each API key was last used at this gateway."""

from collections.abc import Mapping
from datetime import datetime

from contract.gateway import KeyUses as Uses


class KeyUses:
    """Kept in memory: the operator collects it, and keeps it in the keys' status."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], datetime] = {}

    def note(self, namespace: str, digest: str, now: datetime) -> None:
        self._last[namespace, digest] = now

    @property
    def current(self) -> Uses:
        by_namespace: dict[str, dict[str, datetime]] = {}
        for (namespace, digest), at in self._last.items():
            by_namespace.setdefault(namespace, {})[digest] = at
        return Uses(last=by_namespace)

    def keep(self, keys: Mapping[tuple[str, str], object]) -> None:
        """Forgets the uses of all other keys."""
        self._last = {key: at for key, at in self._last.items() if key in keys}
