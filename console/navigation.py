"""The main menu: pages and who sees them (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """Visible to `roles`."""

    name: str
    address: str
    roles: frozenset[str]

    def is_for(self, who: Mapping[str, Any]) -> bool:
        return who.get("role") in self.roles


_EVERYBODY = frozenset({"reader", "editor", "admin"})
_ADMINS = frozenset({"admin"})
_PLATFORM = frozenset({"platform"})

NAVIGATION = (
    Entry("documents", "/documents", _EVERYBODY),
    Entry("ask", "/ask", _EVERYBODY),
    Entry("golden", "/golden", _EVERYBODY),
    Entry("adapters", "/adapters", _EVERYBODY),
    Entry("training", "/training", _EVERYBODY),
    Entry("keys", "/keys", _ADMINS),
    Entry("usage", "/usage", _EVERYBODY),
    Entry("changes", "/changes", _ADMINS),
    Entry("platform", "/platform", _PLATFORM),
)


def first_page(who: Mapping[str, Any]) -> str:
    return next(entry.address for entry in NAVIGATION if entry.is_for(who))
