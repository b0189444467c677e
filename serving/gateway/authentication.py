"""Identifies the caller of a request by its key."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from serving.gateway.catalog import Catalog, Principal
from serving.gateway.errors import Unauthenticated


def authenticated(catalog: Callable[[], Catalog], authorizations: Sequence[str]) -> Principal:
    """The principal of the key in the Authorization headers. Raises Unauthenticated."""
    if len(authorizations) > 1:
        raise Unauthenticated("More than one Authorization header was sent; send one.", code="invalid_api_key")
    scheme, _, key = "".join(authorizations).partition(" ")
    principal = catalog().authenticate(key, datetime.now(UTC)) if scheme.lower() == "bearer" else None
    if principal is None:
        raise Unauthenticated("Incorrect API key provided.", code="invalid_api_key")
    return principal
