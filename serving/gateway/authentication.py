"""Identifies the caller of a request by its key."""

from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime

from contract.api_key import Scope
from serving.gateway.catalog import Catalog, Principal
from serving.gateway.errors import Forbidden, Unauthenticated

INFERENCE: Set[Scope] = frozenset({"inference"})
DOCUMENTS: Set[Scope] = frozenset({"documents"})


def authenticated(catalog: Callable[[], Catalog], authorizations: Sequence[str]) -> Principal:
    """The principal of the key in the Authorization headers. Raises Unauthenticated."""
    if len(authorizations) > 1:
        raise Unauthenticated("More than one Authorization header was sent; send one.", code="invalid_api_key")
    scheme, _, key = "".join(authorizations).partition(" ")
    principal = catalog().authenticate(key, datetime.now(UTC)) if scheme.lower() == "bearer" else None
    if principal is None:
        raise Unauthenticated("Incorrect API key provided.", code="invalid_api_key")
    return principal


def permitted(principal: Principal, scopes: Set[Scope]) -> Principal:
    """The principal, if the key has one of the scopes. Raises Forbidden."""
    if scopes & principal.scopes:
        return principal
    raise Forbidden(
        f"The key may not do this: it needs the scope {' or '.join(sorted(scopes))}, and has "
        f"{', '.join(sorted(principal.scopes))}. Ask for a key with `scopes` in its APIKey.",
        code="missing_scope",
    )
