"""Identifies the caller of a request: by an API key, or by a token that the management API signed for a person."""

from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime

from contract.api_key import Scope
from service.delegation import Delegations
from serving.gateway.catalog import Catalog, Principal
from serving.gateway.errors import Forbidden, Unauthenticated
from serving.gateway.key_uses import KeyUses

INFERENCE: Set[Scope] = frozenset({"inference"})
DOCUMENTS: Set[Scope] = frozenset({"documents"})
ADMIN: Scope = "admin"


class Authentication:
    """Without a management API there are no `delegations`."""

    def __init__(self, catalog: Callable[[], Catalog], uses: KeyUses, delegations: Delegations | None = None) -> None:
        self._catalog, self._uses, self._delegations = catalog, uses, delegations

    def principal(self, authorizations: Sequence[str]) -> Principal:
        """The principal named by the Authorization headers. Raises Unauthenticated."""
        if len(authorizations) > 1:
            raise Unauthenticated("More than one Authorization header was sent; send one.", code="invalid_api_key")
        scheme, _, token = "".join(authorizations).partition(" ")
        principal = self._named(token) if scheme.lower() == "bearer" else None
        if principal is None:
            raise Unauthenticated("Incorrect API key provided.", code="invalid_api_key")
        return principal

    def _named(self, token: str) -> Principal | None:
        catalog = self._catalog()
        if self._delegations is None or token.startswith("qv-"):
            return self._owner(catalog, token, datetime.now(UTC))
        delegation = self._delegations.read(token)
        if delegation is None or delegation.tenant not in catalog.tenants:
            return None
        return Principal(delegation.tenant, models=delegation.models, expires_at=None, scopes=delegation.scopes)

    def _owner(self, catalog: Catalog, key: str, now: datetime) -> Principal | None:
        principal = catalog.authenticate(key, now)
        if principal and principal.key:
            self._uses.note(*principal.key, now)
        return principal


def permitted(principal: Principal, scopes: Set[Scope]) -> Principal:
    """The principal, if the key has one of the scopes; `admin` includes all. Raises Forbidden."""
    if scopes & principal.scopes or ADMIN in principal.scopes:
        return principal
    raise Forbidden(
        f"The key may not do this: it needs the scope {' or '.join(sorted(scopes))}, and has "
        f"{', '.join(sorted(principal.scopes))}. Ask for a key with `scopes` in its APIKey.",
        code="missing_scope",
    )
