"""Callers and their rights (pure)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from contract.api_key import APIKey, Scope
from operators.management.errors import ForbiddenError, NotFoundError

Role = Literal["reader", "editor", "admin", "platform"]
ALL_SCOPES: frozenset[Scope] = frozenset({"inference", "documents", "admin"})


@dataclass(frozen=True)
class Identity:
    """`tenant` is None for the platform's own people: they see every tenant's state, and no tenant's documents.
    `models` limits a key to these names."""

    actor: str
    tenant: str | None
    scopes: frozenset[Scope]
    models: frozenset[str] | None = None

    @property
    def role(self) -> Role:
        if self.tenant is None:
            return "platform"
        if "admin" in self.scopes:
            return "admin"
        return "editor" if "documents" in self.scopes else "reader"

    def may(self, scope: Scope) -> bool:
        return bool(self.scopes & {scope, "admin"})

    def require(self, scope: Scope) -> None:
        """Raises ForbiddenError."""
        if not self.may(scope):
            raise ForbiddenError(
                f"{self.actor} may not do this: it needs the scope {scope}, and has {', '.join(sorted(self.scopes))}. "
                "Ask your administrator for a key with that scope."
            )

    def require_models(self, models: Collection[str]) -> None:
        """An object may use no other models than its maker. Raises ForbiddenError."""
        if self.models is not None and not self.models >= set(models):
            raise ForbiddenError(
                f"{self.actor} may use {', '.join(sorted(self.models))} only, and makes nothing for other models."
            )

    def require_tenant(self, tenant: str) -> None:
        """Raises NotFoundError: a foreign tenant and a missing one look the same."""
        if self.tenant not in (None, tenant):
            raise NotFoundError(f"There is no tenant {tenant!r}.")

    @property
    def own_tenant(self) -> str:
        """Raises ForbiddenError for the platform's people."""
        if self.tenant is None:
            raise ForbiddenError("The platform's key opens no tenant's documents: use a key of the tenant.")
        return self.tenant


def of_key(tenant: str, key: APIKey) -> Identity:
    models = None if key.spec.models is None else frozenset(key.spec.models)
    return Identity(f"key {key.name}", tenant, key.spec.scopes, models)


PLATFORM = Identity("platform", None, frozenset())
